package io.millrace.engine.testing;

import io.millrace.engine.PrefixSource;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.SequenceRequest.Purpose;
import io.millrace.engine.StopCondition;
import org.jspecify.annotations.Nullable;

/** Requests as tests need them. */
public final class TestingRequests {
    private static final int[] NONE = {};

    private TestingRequests() {}

    /** A request to generate, that arrived at time 0 with priority 0 and the shared salt. */
    public static SequenceRequest generate(String sequenceId, int[] prompt, SamplingParameters sampling) {
        return generate(sequenceId, sequenceId, prompt, sampling, null);
    }

    /** A request to prefill, that arrived at time 0 with priority 0 and the shared salt. */
    public static SequenceRequest prefill(String sequenceId, int[] prompt) {
        return new SequenceRequest(
                sequenceId,
                sequenceId,
                Purpose.PREFILL,
                prompt,
                NONE,
                SamplingParameters.greedy(1),
                "",
                0,
                0,
                StopCondition.NEVER,
                null);
    }

    /** A request to generate for a session, whose leading blocks may be had somewhere. */
    public static SequenceRequest generate(
            String sequenceId,
            String sessionId,
            int[] prompt,
            SamplingParameters sampling,
            @Nullable PrefixSource prefixSource) {
        return new SequenceRequest(
                sequenceId,
                sessionId,
                Purpose.GENERATE,
                prompt,
                NONE,
                sampling,
                "",
                0,
                0,
                StopCondition.NEVER,
                prefixSource);
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
