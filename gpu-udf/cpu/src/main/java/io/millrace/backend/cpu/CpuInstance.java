package io.millrace.backend.cpu;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.CopyGate;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.KvBlockLayout;
import io.millrace.model.ModelSpec;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** A model on the host's processors. */
final class CpuInstance implements ModelInstance {
    private final InstanceSpec instance;
    private final ComputeTeam team;
    private final KvArena arena;
    private final Decoder decoder;
    private final DecoderWeights weights;
    private final Kernels kernels;
    private final LongSupplier nanoClock;
    private final CopyGate copies = new CopyGate();

    CpuInstance(
            InstanceSpec instance,
            DecoderWeights weights,
            KvArena arena,
            ComputeTeam team,
            Kernels kernels,
            LongSupplier nanoClock) {
        this.instance = requireNonNull(instance, "instance");
        this.team = requireNonNull(team, "team");
        this.arena = requireNonNull(arena, "arena");
        this.weights = requireNonNull(weights, "weights");
        this.kernels = requireNonNull(kernels, "kernels");
        this.decoder = new Decoder(instance, weights, arena, team, kernels);
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
    }

    @Override
    public ModelSpec modelSpec() {
        return instance.model().spec();
    }

    @Override
    public KvBlockLayout kvLayout() {
        return arena.layout();
    }

    @Override
    public int blockCount() {
        return arena.blockCount();
    }

    @Override
    public void warmUp(Consumer<String> progress) {
        new WarmUp(instance, this, weights, kernels, nanoClock).run(progress);
    }

    @Override
    public void execute(Batch batch, ForwardResult result) {
        if (copies.isClosed()) {
            throw new IllegalStateException("the instance is closed");
        }
        check(batch);
        decoder.run(batch, result);
    }

    @Override
    public void readBlock(int blockId, ByteBuffer target) {
        checkRange("block", blockId, arena.blockCount());
        copies.run(() -> arena.read(blockId, target));
    }

    @Override
    public void writeBlock(int blockId, ByteBuffer source) {
        checkRange("block", blockId, arena.blockCount());
        copies.run(() -> arena.write(blockId, source));
    }

    /** A wrong index here would be another sequence's memory, so each one is checked. */
    private void check(Batch batch) {
        checkRange("tokenCount", batch.tokenCount, instance.maxBatchTokens() + 1);
        checkRange("sequenceCount", batch.sequenceCount, instance.maxBatchSequences() + 1);
        checkRange("logitsCount", batch.logitsCount, instance.maxLogitsRows() + 1);
        int slots = arena.blockCount() * arena.layout().blockSizeTokens();
        for (int token = 0; token < batch.tokenCount; token++) {
            checkRange("token id", batch.tokenIds[token], modelSpec().vocabSize());
            checkRange("position", batch.positions[token], instance.maxModelTokens());
            checkRange("slot", batch.slotMapping[token], slots);
        }
        for (int sequence = 0; sequence < batch.sequenceCount; sequence++) {
            checkBlocks(batch, sequence);
        }
        for (int row = 0; row < batch.logitsCount; row++) {
            checkRange("logits row", batch.logitsRows[row], batch.tokenCount);
        }
    }

    private void checkBlocks(Batch batch, int sequence) {
        int size = arena.layout().blockSizeTokens();
        int table = batch.blockTableStart[sequence];
        int blocks = (batch.contextLengths[sequence] + size - 1) / size;
        for (int block = 0; block < blocks; block++) {
            checkRange("block", batch.blockTables[table + block], arena.blockCount());
        }
    }

    private static void checkRange(String what, int value, int end) {
        if (value < 0 || value >= end) {
            throw new IllegalArgumentException(what + " " + value + " is not below " + end);
        }
    }

    @Override
    public void close() {
        if (copies.close()) {
            team.close();
        }
    }
}
