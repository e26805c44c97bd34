package io.millrace.engine.testing;

import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.SequenceRequest.Purpose;
import io.millrace.engine.StopCondition;

/** Requests as tests need them. */
public final class TestingRequests {
    private static final int[] NONE = {};

    private TestingRequests() {}

    /** A request to generate, that arrived at time 0 with priority 0 and the shared salt. */
    public static SequenceRequest generate(String sequenceId, int[] prompt, SamplingParameters sampling) {
        return new SequenceRequest(sequenceId, Purpose.GENERATE, prompt, NONE, sampling, "", 0, 0, StopCondition.NEVER);
    }

    /** A request to prefill, that arrived at time 0 with priority 0 and the shared salt. */
    public static SequenceRequest prefill(String sequenceId, int[] prompt) {
        return new SequenceRequest(
                sequenceId, Purpose.PREFILL, prompt, NONE, SamplingParameters.greedy(1), "", 0, 0, StopCondition.NEVER);
    }

    /** A prompt of so many tokens: from, from + 1, and so on, within a vocabulary. */
    public static int[] prompt(int from, int count, int vocabSize) {
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++) {
            tokens[i] = (from + i) % vocabSize;
        }
        return tokens;
    }
}
