package io.millrace.engine.testing;

import java.util.Arrays;

/** A model's logits as a function of its context. */
@FunctionalInterface
public interface TestingLogits {
    /** Pseudo-random logits from -4 to 4: a hash of the context and the token. */
    TestingLogits HASHED = (tokens, count, target) -> {
        long hash = count;
        for (int i = 0; i < count; i++) {
            hash = mix(hash * 31 + tokens[i]);
        }
        for (int id = 0; id < target.length; id++) {
            target[id] = (mix(hash + id) >>> 40) * 0x1p-21f - 4;
        }
    };

    /**
     * Logits that make text repeat itself, as copied text does: mostly a function of the last token, so that greedy
     * decoding soon goes in circles, and a little of the whole context, so that it leaves them again.
     */
    TestingLogits REPEATING = (tokens, count, target) -> {
        HASHED.compute(tokens, count, target);
        long hash = mix(tokens[count - 1] * 31L + 7);
        for (int id = 0; id < target.length; id++) {
            target[id] = target[id] / 2 + (mix(hash + id) >>> 40) * 0x1p-18f - 32;
        }
    };

    /** Writes the logits that follow the first {@code count} of these tokens. */
    void compute(int[] tokens, int count, float[] target);

    /** Logits that make greedy decoding count up: after token t comes t + 1, and after the last one 0. */
    static TestingLogits counting() {
        return (tokens, count, target) -> {
            Arrays.fill(target, 0);
            target[(tokens[count - 1] + 1) % target.length] = 10;
        };
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 32)) * 0xD6E8FEB86659FD93L;
        z = (z ^ (z >>> 32)) * 0xD6E8FEB86659FD93L;
        return z ^ (z >>> 32);
    }
}
