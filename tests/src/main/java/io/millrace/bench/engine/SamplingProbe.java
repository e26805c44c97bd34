package io.millrace.bench.engine;

import io.millrace.engine.backend.Batch;
import java.util.HashMap;
import java.util.Map;

/**
 * When the logits of each position of each sequence were computed, as {@link ProbedCpuBackend} sees it. A backend knows
 * no sequences, but their blocks: while a sequence runs, its first block is its own if no other has the same salt and
 * prompt. The benchmark gives each turn a salt of its own, and a prompt of a length that no other has, by which it
 * finds the turn's block here.
 *
 * <p>One process has one: a backend is made by the service loader, and can be given nothing.
 */
final class SamplingProbe {
    /** No run has more tokens; what comes after is not kept. */
    private static final int MAX_ENTRIES = 1 << 17;

    private static final Map<Place, Long> NANOS = new HashMap<>();

    private SamplingProbe() {}

    private record Place(int firstBlock, int position) {}

    /** Forgets what was recorded. */
    static synchronized void clear() {
        NANOS.clear();
    }

    /** Records the rows of a batch whose logits were wanted. */
    static synchronized void record(Batch batch, long nanos) {
        int sequence = 0;
        for (int row = 0; row < batch.logitsCount; row++) {
            int token = batch.logitsRows[row];
            while (batch.queryStart[sequence + 1] <= token) {
                sequence++;
            }
            if (NANOS.size() < MAX_ENTRIES) {
                int firstBlock = batch.blockTables[batch.blockTableStart[sequence]];
                NANOS.put(new Place(firstBlock, batch.positions[token]), nanos);
            }
        }
    }

    /**
     * When the logits of each token of a turn were there.
     *
     * @param promptTokens its prompt's tokens, a number that no other turn since {@link #clear} has
     * @return for each of so many tokens; empty if the turn is not known whole
     */
    static synchronized long[] sampledNanos(int promptTokens, int tokens) {
        for (Place place : NANOS.keySet()) {
            if (place.position() == promptTokens - 1
                    && NANOS.containsKey(new Place(place.firstBlock(), promptTokens))) {
                long[] nanos = sampledNanos(place.firstBlock(), promptTokens, tokens);
                if (nanos.length == tokens && isAscending(nanos)) {
                    return nanos;
                }
            }
        }
        return new long[0];
    }

    private static long[] sampledNanos(int firstBlock, int promptTokens, int tokens) {
        long[] nanos = new long[tokens];
        for (int offset = 0; offset < tokens; offset++) {
            Long at = NANOS.get(new Place(firstBlock, promptTokens - 1 + offset));
            if (at == null) {
                return new long[0];
            }
            nanos[offset] = at;
        }
        return nanos;
    }

    private static boolean isAscending(long[] nanos) {
        for (int index = 1; index < nanos.length; index++) {
            if (nanos[index] < nanos[index - 1]) {
                return false;
            }
        }
        return true;
    }
}
