package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockTable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The loads that are under way, those of sequences that have ended meanwhile among them. Engine thread. */
final class PrefixLoads {
    private static final Logger LOG = LoggerFactory.getLogger(PrefixLoads.class);

    private final ModelInstance instance;
    private final int loadsMax;
    private final List<PrefixLoad> loads = new ArrayList<>();

    /** No loads, and at most so many at a time. */
    PrefixLoads(ModelInstance instance, int loadsMax) {
        this.instance = requireNonNull(instance, "instance");
        this.loadsMax = loadsMax;
    }

    boolean isEmpty() {
        return loads.isEmpty();
    }

    boolean hasRoom() {
        return loads.size() < loadsMax;
    }

    /** Whether a block is about to be findable by one of these. */
    boolean bring(BlockHash name) {
        for (PrefixLoad load : loads) {
            if (load.brings(name)) {
                return true;
            }
        }
        return false;
    }

    /** Asks a sequence's source how many blocks it is going to load; 0 if it has none, or fails. */
    static int blocksToLoad(Sequence sequence, int firstBlock, int endBlock) {
        PrefixSource source = sequence.request().prefixSource();
        if (source == null || firstBlock >= endBlock) {
            return 0;
        }
        try {
            return Math.max(0, Math.min(endBlock - firstBlock, source.blocksToLoad(firstBlock, endBlock)));
        } catch (RuntimeException | Error e) {
            // A source is foreign code: whatever it throws must not end the engine's thread.
            LOG.error("The prefix source of {} failed; the blocks are computed", sequence, e);
            return 0;
        }
    }

    /**
     * Has a sequence's source fill the blocks of its table from {@code firstBlock} on.
     *
     * @param names theirs
     * @param ending hears of the end, on any thread
     */
    void start(Sequence sequence, int firstBlock, List<BlockHash> names, Consumer<PrefixLoad> ending) {
        PrefixSource source = requireNonNull(sequence.request().prefixSource(), "prefixSource");
        int[] blockIds = new int[names.size()];
        for (int i = 0; i < blockIds.length; i++) {
            blockIds[i] = sequence.table().blockId(firstBlock + i);
        }
        PrefixLoad load = new PrefixLoad(instance, sequence, blockIds, names, ending);
        loads.add(load);
        try {
            source.load(firstBlock, load);
        } catch (RuntimeException | Error e) {
            LOG.error("The prefix source of {} failed; the blocks are computed", sequence, e);
            load.done(0);
        }
    }

    /** Tells the source of a sequence that has ended. Its blocks stay its own until the load ends. */
    void abandon(Sequence sequence) {
        for (PrefixLoad load : loads) {
            if (load.sequence() == sequence) {
                load.abandon();
            }
        }
    }

    /**
     * Forgets a load that has ended.
     *
     * @return whether it was here
     */
    boolean remove(PrefixLoad load) {
        return loads.remove(load);
    }

    /** Ends the loads of an owner that has ended: who was to end them may have ended too. */
    void endOf(SequenceOwner owner) {
        for (PrefixLoad load : List.copyOf(loads)) {
            if (load.sequence().owner() == owner) {
                end(load);
            }
        }
    }

    /** Ends every load, for the engine has ended. */
    void endAll() {
        List.copyOf(loads).forEach(this::end);
    }

    /** Ends a load of a sequence that has ended. */
    private void end(PrefixLoad load) {
        load.end();
        load.sequence().table().releaseAll();
        loads.remove(load);
    }

    /** Whether a load fills the blocks of this sequence. */
    boolean fill(Sequence sequence) {
        return loads.stream().anyMatch(load -> load.sequence() == sequence);
    }

    /** Adds the tables of sequences that have ended before their loads. */
    void addAbandoned(List<BlockTable> tables) {
        for (PrefixLoad load : loads) {
            if (load.sequence().state == Sequence.State.FINISHED) {
                tables.add(load.sequence().table());
            }
        }
    }
}
