package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.BlockHash;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A sequence's blocks while its prefix source fills them. Writes and the end exclude each other. */
final class PrefixLoad implements LoadTarget {
    private static final Logger LOG = LoggerFactory.getLogger(PrefixLoad.class);

    private final ModelInstance instance;
    private final Sequence sequence;
    private final int[] blockIds;
    private final Set<BlockHash> names;
    private final Consumer<PrefixLoad> ending;
    private volatile boolean wanted = true;
    private boolean ended;
    private int writtenBlocks;
    private int loadedBlocks;

    /**
     * A load that nothing is written of yet.
     *
     * @param blockIds the blocks, which are the sequence's own until this has ended
     * @param names what they will be found by
     * @param ending hears of the end, on the thread that says it
     */
    PrefixLoad(
            ModelInstance instance,
            Sequence sequence,
            int[] blockIds,
            List<BlockHash> names,
            Consumer<PrefixLoad> ending) {
        this.instance = requireNonNull(instance, "instance");
        this.sequence = requireNonNull(sequence, "sequence");
        this.blockIds = blockIds.clone();
        this.names = Set.copyOf(names);
        this.ending = requireNonNull(ending, "ending");
    }

    Sequence sequence() {
        return sequence;
    }

    /** Whether this is going to make a block findable. */
    boolean brings(BlockHash name) {
        return wanted && names.contains(name);
    }

    /** Notes that the sequence has ended. */
    void abandon() {
        wanted = false;
    }

    /** Leading blocks that hold what they should. */
    synchronized int loadedBlocks() {
        return loadedBlocks;
    }

    /** Ends this without a word, after the write that runs. What is written later is refused. */
    synchronized void end() {
        ended = true;
        wanted = false;
    }

    @Override
    public int blockCount() {
        return blockIds.length;
    }

    @Override
    public boolean isWanted() {
        return wanted;
    }

    @Override
    public synchronized void write(int index, ByteBuffer content) {
        int blockId = blockIds[Objects.checkIndex(index, blockIds.length)];
        if (ended) {
            throw new IllegalStateException("the load has ended");
        }
        instance.writeBlock(blockId, content);
        if (index == writtenBlocks) {
            writtenBlocks++;
        }
    }

    @Override
    public void done(int leadingBlocks) {
        synchronized (this) {
            if (ended) {
                return;
            }
            ended = true;
            if (leadingBlocks < 0 || leadingBlocks > writtenBlocks) {
                LOG.error(
                        "The prefix source of {} says that it loaded {} blocks, but it wrote {}: all are computed",
                        sequence,
                        leadingBlocks,
                        writtenBlocks);
            } else {
                loadedBlocks = leadingBlocks;
            }
        }
        ending.accept(this);
    }
}
