package io.millrace.determinism;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The bits of the logits that a model gave after each sequence of tokens. Logits are a function of those tokens alone,
 * so the same tokens must never have others.
 */
final class LogitsBook {
    private record Context(int[] tokens) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Context context && Arrays.equals(tokens, context.tokens);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(tokens);
        }
    }

    private final Map<Context, Long> digests = new HashMap<>();
    private long comparedCount;
    private String firstDifference = "";

    /** Notes the logits after these tokens, and compares them with those noted before, if there are any. */
    void record(int[] tokens, float[] logits) {
        long digest = digest(logits);
        Long known = digests.putIfAbsent(new Context(tokens), digest);
        if (known == null) {
            return;
        }
        comparedCount++;
        if (known != digest && firstDifference.isEmpty()) {
            firstDifference = "other logits than before after " + tokens.length + " tokens: " + Arrays.toString(tokens);
        }
    }

    /** Logits that were compared with those of an earlier run. */
    long comparedCount() {
        return comparedCount;
    }

    /** Where logits differed from those of an earlier run; empty if they never did. */
    String firstDifference() {
        return firstDifference;
    }

    /** Forgets what was noted, but not how much was compared, nor a difference. */
    void clear() {
        digests.clear();
    }

    private static long digest(float[] logits) {
        long digest = 0;
        for (float logit : logits) {
            digest = Long.rotateLeft((digest ^ Float.floatToRawIntBits(logit)) * 0x9E37_79B9_7F4A_7C15L, 29);
        }
        return digest;
    }
}
