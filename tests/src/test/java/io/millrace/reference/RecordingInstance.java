package io.millrace.reference;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.KvBlockLayout;
import io.millrace.model.ModelSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** A model instance that keeps the logits it computed, for a test that runs one sequence at a time. */
final class RecordingInstance implements ModelInstance {
    private final ModelInstance instance;
    private final List<float[]> logits = new ArrayList<>();

    RecordingInstance(ModelInstance instance) {
        this.instance = instance;
    }

    /** The logits of each token since the last call, and forgets them. */
    List<float[]> takeLogits() {
        List<float[]> taken = List.copyOf(logits);
        logits.clear();
        return taken;
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
    public void warmUp(Consumer<String> progress) {
        instance.warmUp(progress);
    }

    @Override
    public void execute(Batch batch, ForwardResult result) {
        instance.execute(batch, result);
        for (int row = 0; row < batch.logitsCount; row++) {
            logits.add(result.logits[row].clone());
        }
    }

    @Override
    public void close() {
        instance.close();
    }
}
