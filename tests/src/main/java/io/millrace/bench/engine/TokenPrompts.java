package io.millrace.bench.engine;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Prompts as token ids: arbitrary, the same each time, and without a common beginning. */
final class TokenPrompts {
    private static final int FIRST_ID = 1000;
    // Large and prime, so that neighbours differ and nothing repeats within a prompt.
    private static final int STRIDE = 7919;
    private static final int ID_COUNT = 40_000;

    private TokenPrompts() {}

    /** A prompt of so many tokens; other numbers give other prompts. */
    static int[] prompt(int number, int tokens) {
        int[] ids = new int[tokens];
        for (int index = 0; index < tokens; index++) {
            ids[index] = FIRST_ID + (int) ((number * 104_729L + (long) index * STRIDE) % ID_COUNT);
        }
        return ids;
    }

    /** So many prompts of so many tokens each. */
    static List<int[]> prompts(int count, int tokens) {
        return IntStream.range(0, count)
                .mapToObj(number -> prompt(number + 1, tokens))
                .toList();
    }

    /** One prompt after the other. */
    static int[] joined(int[] first, int[] second) {
        int[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }
}
