package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.LoadTarget;
import io.millrace.engine.PrefixSource;
import io.millrace.kv.BlockHash;
import java.util.List;

/** The blocks of a turn's chain that HOST or STATE holds. Used on the engine's thread. */
final class TierPrefixSource implements PrefixSource {
    private final TurnBlocks turn;
    private final BlockLoader.Session session;
    private final BlockLoader loader;
    private final LoadChoice choice;
    private int promisedBlocks;

    TierPrefixSource(TurnBlocks turn, BlockLoader.Session session, BlockLoader loader, LoadChoice choice) {
        this.turn = requireNonNull(turn, "turn");
        this.session = requireNonNull(session, "session");
        this.loader = requireNonNull(loader, "loader");
        this.choice = requireNonNull(choice, "choice");
    }

    @Override
    public int blocksToLoad(int firstBlock, int endBlock) {
        List<BlockHash> chain = turn.chain();
        int hostBlocks = 0;
        int stateBlocks = 0;
        for (int i = firstBlock; i < Math.min(endBlock, chain.size()); i++) {
            if (loader.isInHost(chain.get(i))) {
                hostBlocks++;
            } else if (session.keyOf(chain.get(i)) != null) {
                stateBlocks++;
            } else {
                break;
            }
        }
        promisedBlocks = 0;
        if (hostBlocks + stateBlocks > 0 && loader.hasRoom() && choice.loads(hostBlocks, stateBlocks)) {
            promisedBlocks = hostBlocks + stateBlocks;
        }
        return promisedBlocks;
    }

    @Override
    public void load(int firstBlock, LoadTarget target) {
        int endBlock = firstBlock + Math.min(promisedBlocks, target.blockCount());
        loader.load(session, turn.chain().subList(firstBlock, endBlock), target);
    }
}
