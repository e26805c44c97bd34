package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.proto.BlockRun;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A session that has turns under way, or blocks that are being saved: what its manifests say, in memory. Used on the
 * task thread, but for {@link #keyOf}.
 */
final class LiveSession {
    private final SessionPlacement placement;
    /** Names of the blocks that the STATE tier has of it, and their keys there. */
    private final Map<BlockHash, Long> stored = new ConcurrentHashMap<>();

    private final Map<Long, BlockRun> runs = new LinkedHashMap<>();
    /** Names of blocks that are not saved because other sessions use them too. */
    private final Set<BlockHash> shared = new HashSet<>();
    /** Names of blocks that are about to be saved. */
    private final Set<BlockHash> queued = new HashSet<>();

    private final List<TurnBlocks> turns = new ArrayList<>();
    private List<BlockHash> lastChain = List.of();
    private boolean dropped;

    LiveSession(SessionPlacement placement) {
        this.placement = requireNonNull(placement, "placement");
    }

    SessionPlacement placement() {
        return placement;
    }

    /** The key of a block's value in STATE; null if it is not there. Any thread. */
    @Nullable
    Long keyOf(BlockHash hash) {
        return stored.get(hash);
    }

    /** Takes in what the state has recorded. */
    void add(BlockRun run) {
        runs.put(run.getFirstKey(), run);
        List<BlockHash> hashes = BlockRuns.hashes(run);
        if (run.getShared()) {
            shared.addAll(hashes);
            return;
        }
        for (int i = 0; i < hashes.size(); i++) {
            stored.put(hashes.get(i), run.getFirstKey() + i);
        }
    }

    /** Forgets a run that the state does not record any more. */
    void remove(BlockRun run) {
        runs.remove(run.getFirstKey());
        List<BlockHash> hashes = BlockRuns.hashes(run);
        if (run.getShared()) {
            hashes.forEach(shared::remove);
            return;
        }
        for (int i = 0; i < hashes.size(); i++) {
            stored.remove(hashes.get(i), run.getFirstKey() + i);
        }
    }

    /** The runs that the state records, oldest first, copied. */
    List<BlockRun> runs() {
        return List.copyOf(runs.values());
    }

    /** Whether a block is in STATE, is known to be shared, or is about to be saved. */
    boolean isAccountedFor(BlockHash hash) {
        return stored.containsKey(hash) || shared.contains(hash) || queued.contains(hash);
    }

    Set<BlockHash> queued() {
        return queued;
    }

    List<TurnBlocks> turns() {
        return turns;
    }

    /** The chain of the last turn that ended. */
    List<BlockHash> lastChain() {
        return lastChain;
    }

    void ended(TurnBlocks turn) {
        turns.remove(turn);
        lastChain = turn.chain();
    }

    /** Nobody uses it: what the state records is all that there is to know. */
    boolean isIdle() {
        return turns.isEmpty() && queued.isEmpty();
    }

    /** All of it was dropped: what comes later of it is void. */
    void drop() {
        dropped = true;
        stored.clear();
        runs.clear();
        shared.clear();
    }

    boolean isDropped() {
        return dropped;
    }
}
