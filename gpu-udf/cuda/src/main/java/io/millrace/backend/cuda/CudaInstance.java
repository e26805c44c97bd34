package io.millrace.backend.cuda;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cuda.device.Device;
import io.millrace.backend.cuda.device.DeviceStream;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.CopyGate;
import io.millrace.engine.backend.DeviceLostException;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.KvBlockLayout;
import io.millrace.kv.ServingException;
import io.millrace.model.ModelSpec;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** A model on a GPU. */
final class CudaInstance implements ModelInstance {
    /** Rows of logits that are copied to the host at once. */
    private static final int LOGITS_AT_ONCE = 16;

    private final Device device;
    private final ModelSpec spec;
    private final Limits limits;
    private final KvBlockLayout layout;
    private final BatchCheck check;
    private final LoadedModel model;
    private final DeviceStream stream;
    private final ByteBuffer stepMemory;
    private final StepBlock step;
    private final ByteBuffer logitsMemory;
    private final ByteBuffer tokensMemory;
    private final int[] hostRows;
    private final StepGraphs graphs;
    private final BlockCopies blockCopies;
    private final PageLockedRegions regions;
    private final CopyGate copies = new CopyGate();
    private final LongSupplier nanoClock;

    /** Takes a device, which it closes, with a model in its memory. */
    CudaInstance(
            Device device,
            ModelSpec spec,
            Limits limits,
            KvBlockLayout layout,
            LoadedModel model,
            boolean withGraphs,
            LongSupplier nanoClock) {
        this.device = requireNonNull(device, "device");
        this.spec = requireNonNull(spec, "spec");
        this.limits = requireNonNull(limits, "limits");
        this.layout = requireNonNull(layout, "layout");
        this.model = requireNonNull(model, "model");
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
        check = new BatchCheck(spec, limits);
        stream = device.newStream();
        stepMemory = device.allocateHost(model.arrays().byteCount);
        step = new StepBlock(model.arrays(), stepMemory, limits.blockSizeTokens());
        int logitsRows = Math.min(LOGITS_AT_ONCE, limits.maxLogitsRows());
        logitsMemory = device.allocateHost(logitsRows * model.buffers().logitsStride * Float.BYTES);
        tokensMemory = device.allocateHost(limits.maxLogitsRows() * Integer.BYTES);
        hostRows = new int[logitsRows];
        graphs = new StepGraphs(model.forward(), withGraphs);
        regions = new PageLockedRegions(device);
        blockCopies = new BlockCopies(device, regions, layout.blockBytes());
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
        return limits.blockCount();
    }

    @Override
    public boolean samples() {
        return true;
    }

    @Override
    public void warmUp(Consumer<String> progress) {
        new WarmUp(spec, limits, this, nanoClock).run(progress);
        progress.accept(graphs.count() + " graphs captured");
    }

    @Override
    public void execute(Batch batch, ForwardResult result) {
        if (copies.isClosed()) {
            throw new IllegalStateException("the instance is closed");
        }
        check.check(batch);
        if (batch.tokenCount == 0) {
            return;
        }
        try {
            run(batch, result);
        } catch (ServingException e) {
            if (device.fault().isEmpty()) {
                throw e;
            }
            throw new DeviceLostException(String.valueOf(e.getMessage()), e);
        }
    }

    private void run(Batch batch, ForwardResult result) {
        stream.copyToDevice(model.buffers().step, step.fill(batch));
        StepShape shape = StepShape.of(batch, spec);
        graphs.run(shape, stream);
        readResult(batch, shape.samples(), result);
    }

    /** Waits for the step; reads the tokens that it chose, and the logits of those rows that are the host's. */
    private void readResult(Batch batch, boolean samples, ForwardResult result) {
        if (samples) {
            stream.copyToHost(
                    tokensMemory.duplicate().limit(batch.logitsCount * Integer.BYTES), model.buffers().sampledTokens);
        }
        stream.synchronize();
        int waiting = 0;
        for (int row = 0; row < batch.logitsCount; row++) {
            if (batch.sampling[row] != Batch.HOST) {
                result.tokenIds[row] = tokensMemory.getInt(row * Integer.BYTES);
            } else {
                copyLogits(row, waiting);
                hostRows[waiting++] = row;
            }
            if (waiting == hostRows.length || (waiting > 0 && row == batch.logitsCount - 1)) {
                takeLogits(waiting, result);
                waiting = 0;
            }
        }
    }

    private void copyLogits(int row, int place) {
        int bytes = spec.vocabSize() * Float.BYTES;
        int stride = model.buffers().logitsStride * Float.BYTES;
        stream.copyToHost(
                logitsMemory.duplicate().limit(place * stride + bytes).position(place * stride),
                model.buffers().logits + (long) row * stride);
    }

    private void takeLogits(int count, ForwardResult result) {
        stream.synchronize();
        FloatBuffer floats = logitsMemory.asFloatBuffer();
        for (int place = 0; place < count; place++) {
            floats.get(place * model.buffers().logitsStride, result.logits[hostRows[place]], 0, spec.vocabSize());
        }
    }

    @Override
    public void readBlock(int blockId, ByteBuffer target) {
        BatchCheck.range("block", blockId, limits.blockCount());
        copies.run(() -> {
            if (target.remaining() < layout.blockBytes()) {
                throw new BufferOverflowException();
            }
            int end = target.position() + layout.blockBytes();
            blockCopies.read(block(blockId), target.duplicate().limit(end));
            target.position(end);
        });
    }

    @Override
    public void writeBlock(int blockId, ByteBuffer source) {
        BatchCheck.range("block", blockId, limits.blockCount());
        copies.run(() -> {
            if (source.remaining() != layout.blockBytes()) {
                throw new IllegalArgumentException("a block has " + layout.blockBytes() + " bytes, not " + source);
            }
            blockCopies.write(block(blockId), source);
        });
    }

    @Override
    public Runnable pageLock(List<ByteBuffer> memory) {
        List<ByteBuffer> locked = new ArrayList<>();
        copies.run(() -> memory.forEach(buffer -> {
            if (regions.add(buffer)) {
                locked.add(buffer);
            }
        }));
        return () -> {
            try {
                copies.run(() -> locked.forEach(regions::remove));
            } catch (IllegalStateException e) {
                // The instance is closed, and unlocked everything then.
                locked.clear();
            }
        };
    }

    private long block(int blockId) {
        return model.kvBlocks() + (long) blockId * layout.blockBytes();
    }

    @Override
    public void close() {
        if (!copies.close()) {
            return;
        }
        try {
            if (device.fault().isEmpty()) {
                stream.synchronize();
                blockCopies.close();
                regions.clear();
                graphs.close();
                stream.close();
                device.freeHost(stepMemory);
                device.freeHost(logitsMemory);
                device.freeHost(tokensMemory);
                model.free(device);
            }
        } finally {
            device.close();
        }
    }
}
