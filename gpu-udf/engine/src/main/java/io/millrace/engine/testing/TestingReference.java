package io.millrace.engine.testing;

import io.millrace.engine.Admission;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.engine.EngineOptions;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StopCondition;
import io.millrace.engine.backend.ModelInstance;
import java.util.List;
import java.util.Set;

/** What sequences give undisturbed: each alone, with nothing in any cache. */
public final class TestingReference implements AutoCloseable {
    private static final int MAX_STEPS = 10_000;

    private final Engine engine;
    private final EngineLease lease;
    private final TestingListener listener = new TestingListener();
    private int sequenceNumber;

    /**
     * A reference that computes with this instance.
     *
     * @param instance closed with this; takes batches of so many tokens
     */
    public TestingReference(ModelInstance instance, int maxBatchTokens, int maxModelTokens) {
        EngineOptions options =
                EngineOptions.of("reference", Set.of(), maxModelTokens).withLimits(maxBatchTokens, 1, 1);
        engine = new Engine(options, instance, () -> {});
        lease = engine.lease("reference", listener, Integer.MAX_VALUE);
    }

    /** The whole output that follows a prompt. */
    public List<Integer> output(int[] prompt, SamplingParameters sampling) {
        // A salt of its own: nothing of other sequences is found.
        String id = "s" + sequenceNumber++;
        Admission admission = lease.submit(new SequenceRequest(
                id,
                id,
                SequenceRequest.Purpose.GENERATE,
                prompt,
                new int[0],
                sampling,
                id,
                0,
                0,
                StopCondition.NEVER,
                null));
        if (admission != Admission.ACCEPTED) {
            throw new AssertionError("the reference refuses a sequence: " + admission);
        }
        for (int step = 0; !listener.hasEnded(id); step++) {
            engine.doWork();
            if (step > MAX_STEPS) {
                throw new AssertionError("the reference does not come to an end");
            }
        }
        return listener.tokens(id);
    }

    @Override
    public void close() {
        engine.close();
    }
}
