package io.millrace.engine.testing;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.KvBlockLayout;
import io.millrace.model.ModelSpec;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;

/** A model instance that passes everything on to another, for those who want to see or change a part of it. */
public class ForwardingInstance implements ModelInstance {
    private final ModelInstance instance;

    /** Passes on to this instance. */
    public ForwardingInstance(ModelInstance instance) {
        this.instance = requireNonNull(instance, "instance");
    }

    @Override
    public ModelSpec modelSpec() {
        return instance.modelSpec();
    }

    @Override
    public KvBlockLayout kvLayout() {
        return instance.kvLayout();
    }

    @Override
    public int blockCount() {
        return instance.blockCount();
    }

    @Override
    public Runnable pageLock(List<ByteBuffer> memory) {
        return instance.pageLock(memory);
    }

    @Override
    public boolean samples() {
        return instance.samples();
    }

    @Override
    public void warmUp(Consumer<String> progress) {
        instance.warmUp(progress);
    }

    @Override
    public void execute(Batch batch, ForwardResult result) {
        instance.execute(batch, result);
    }

    @Override
    public void readBlock(int blockId, ByteBuffer target) {
        instance.readBlock(blockId, target);
    }

    @Override
    public void writeBlock(int blockId, ByteBuffer source) {
        instance.writeBlock(blockId, source);
    }

    @Override
    public void close() {
        instance.close();
    }
}
