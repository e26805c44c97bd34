package io.millrace.determinism;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Admission;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.testing.TestingListener;
import java.util.List;

/** An engine that is stepped by the test. */
final class ReplayEngine implements AutoCloseable {
    private static final int MAX_STEPS = 100_000;

    private final Engine engine;
    private final TestingListener listener = new TestingListener();
    private final EngineLease lease;

    ReplayEngine(Engine engine) {
        this.engine = requireNonNull(engine, "engine");
        lease = engine.lease("replay", listener, 1_000);
    }

    /**
     * What became of a sequence.
     *
     * @param tokens the tokens that it generated
     * @param reason why it ended; null for one that was only prefilled
     */
    record Output(List<Integer> tokens, SequenceEvent.FinishReason reason) {}

    void submit(SequenceRequest request) {
        assertThat(lease.submit(request)).isEqualTo(Admission.ACCEPTED);
    }

    void step() {
        engine.doWork();
        listener.takeOutputs().forEach(lease::acknowledge);
    }

    /** Steps until a sequence has ended. */
    Output await(String id) {
        for (int step = 0; !listener.hasEnded(id); step++) {
            assertThat(step).as("steps until %s ends", id).isLessThan(MAX_STEPS);
            step();
        }
        SequenceEvent last = listener.lastEvent(id);
        assertThat(last).isNotInstanceOf(SequenceEvent.Failed.class);
        return new Output(
                listener.tokens(id), last instanceof SequenceEvent.Finished finished ? finished.reason() : null);
    }

    Output run(SequenceRequest request) {
        submit(request);
        return await(request.sequenceId());
    }

    /** Prompt tokens that a sequence, which has ended, found in the cache. */
    int cachedTokens(String id) {
        return ((SequenceEvent.Finished) listener.lastEvent(id)).cachedTokens();
    }

    long preemptions() {
        return engine.stats().preemptions();
    }

    /** Checks that nothing is left of the sequences, which have ended. */
    @Override
    public void close() {
        lease.close();
        engine.doWork();
        engine.checkIntegrity();
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
        assertThat(engine.stats().runningSequences() + engine.stats().waitingSequences())
                .isZero();
        engine.close();
    }
}
