package io.millrace.reference;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.engine.testing.ForwardingInstance;
import java.util.ArrayList;
import java.util.List;

/** A model instance that keeps the logits it computed, for a test that runs one sequence at a time. */
final class RecordingInstance extends ForwardingInstance {
    private final List<float[]> logits = new ArrayList<>();

    RecordingInstance(ModelInstance instance) {
        super(instance);
    }

    /** The logits of each token since the last call, and forgets them. */
    List<float[]> takeLogits() {
        List<float[]> taken = List.copyOf(logits);
        logits.clear();
        return taken;
    }

    @Override
    public void execute(Batch batch, ForwardResult result) {
        super.execute(batch, result);
        for (int row = 0; row < batch.logitsCount; row++) {
            logits.add(result.logits[row].clone());
        }
    }
}
