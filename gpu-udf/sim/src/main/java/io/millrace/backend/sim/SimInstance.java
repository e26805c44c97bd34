package io.millrace.backend.sim;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.CopyGate;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.KvBlockLayout;
import io.millrace.model.ModelSpec;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** A model on a simulated device. */
final class SimInstance implements ModelInstance {
    private final ModelSpec spec;
    private final KvBlockLayout layout;
    private final SimTiming timing;
    private final SimClock clock;
    private final SimBlocks blocks;
    private final SimLogits logits;
    private final SimLink link;
    private final long[] contextHashes;
    private final CopyGate copies = new CopyGate();

    SimInstance(InstanceSpec instance, KvBlockLayout layout, SimTiming timing, SimClock clock) {
        this.spec = instance.model().spec();
        this.layout = requireNonNull(layout, "layout");
        this.timing = requireNonNull(timing, "timing");
        this.clock = requireNonNull(clock, "clock");
        blocks = new SimBlocks(layout, instance.pool().hostBlocks(layout), timing.seed());
        logits = SimLogits.of(instance.model());
        link = new SimLink(timing, clock);
        contextHashes = new long[instance.maxBatchSequences()];
    }

    @Override
    public ModelSpec modelSpec() {
        return spec;
    }

    @Override
    public KvBlockLayout kvLayout() {
        return layout;
    }

    @Override
    public int blockCount() {
        return blocks.blockCount();
    }

    @Override
    public void warmUp(Consumer<String> progress) {
        progress.accept("a simulated device needs no warming up");
    }

    @Override
    public void execute(Batch batch, ForwardResult result) {
        if (copies.isClosed()) {
            throw new IllegalStateException("the instance is closed");
        }
        long beginNanos = clock.nanoTime();
        for (int sequence = 0; sequence < batch.sequenceCount; sequence++) {
            contextHashes[sequence] = blocks.write(batch, sequence);
        }
        int prefillTokens = 0;
        long usedTokens = 0;
        int logitsIndex = 0;
        // Reads come after all writes: a sequence that writes into another's block is found out.
        for (int sequence = 0; sequence < batch.sequenceCount; sequence++) {
            blocks.verify(batch, sequence, contextHashes[sequence]);
            usedTokens += batch.contextLengths[sequence];
            int end = batch.queryStart[sequence + 1];
            int rows = 0;
            while (logitsIndex < batch.logitsCount && batch.logitsRows[logitsIndex] < end) {
                long hash = blocks.hash(batch, sequence, batch.logitsRows[logitsIndex]);
                logits.write(hash, result.logits[logitsIndex]);
                logitsIndex++;
                rows++;
            }
            // A decoding sequence has a row for its last token and for each guessed one behind it.
            int tokens = end - batch.queryStart[sequence];
            prefillTokens += rows == tokens ? 0 : tokens;
        }
        if (logitsIndex != batch.logitsCount) {
            throw new IllegalStateException("logits are wanted of tokens that are not there, or out of order");
        }
        boolean decodes = batch.tokenCount > prefillTokens;
        double usedRatio = usedTokens / ((double) blocks.blockCount() * layout.blockSizeTokens());
        long nanos = timing.stepNanos(prefillTokens, decodes, usedRatio);
        if (nanos > 0) {
            clock.waitUntil(beginNanos + nanos);
        }
    }

    @Override
    public void readBlock(int blockId, ByteBuffer target) {
        copies.run(() -> {
            blocks.read(blockId, target);
            link.copy(layout.blockBytes());
        });
    }

    @Override
    public void writeBlock(int blockId, ByteBuffer source) {
        copies.run(() -> {
            blocks.write(blockId, source);
            link.copy(layout.blockBytes());
        });
    }

    @Override
    public void close() {
        copies.close();
    }
}
