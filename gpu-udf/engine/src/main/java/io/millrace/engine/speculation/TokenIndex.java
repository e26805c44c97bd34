package io.millrace.engine.speculation;

import java.util.Arrays;

/**
 * Finds where the latest tokens of a growing list were before. Keeps for every run of four tokens, and of two, where it
 * ended last, and from each such place the one before it, as compressors of the LZ77 kind do. A token is entered once;
 * a search looks at a few places only. Used by one thread.
 */
public final class TokenIndex {
    /** What is returned where nothing is found. */
    public static final int NONE = -1;

    /** Fewest tokens that count as found again. */
    public static final int MIN_MATCH_TOKENS = 2;

    private static final int LONG_RUN = 4;
    private static final int PLACES_MAX = 16;
    /** Longer matches are not told apart. */
    private static final int MATCH_TOKENS_MAX = 64;

    private static final int INITIAL_CAPACITY = 1024;

    private int capacity;
    /** By hash of a run: where it ended last; or {@link #NONE}. */
    private int[] longLast = {};

    private int[] shortLast = {};
    /** By the end of a run: where one of its hash ended before. */
    private int[] longBefore = {};

    private int[] shortBefore = {};
    /** Runs that end before this are entered. */
    private int entered;

    private int source = NONE;
    private int sourceCount;
    private int matchTokens;

    /** An index of no tokens. */
    public TokenIndex() {}

    /**
     * Finds the longest run that ends with the list and was there before, as far as a bounded search sees.
     *
     * @param tokens the list; what was given before must not have changed
     * @param count its length, not less than before
     * @return the index of the token that followed the run, or {@link #NONE}
     */
    public int find(int[] tokens, int count) {
        enter(tokens, count - 1);
        int best = NONE;
        matchTokens = MIN_MATCH_TOKENS - 1;
        // First where the last search left off: text that is copied goes on being copied from there.
        int tracked = source == NONE ? NONE : source + count - sourceCount - 1;
        if (tracked >= 0 && tracked < count - 1) {
            best = better(tokens, count, tracked, best);
        }
        if (count >= LONG_RUN) {
            best = search(tokens, count, longLast[hash(tokens, count, LONG_RUN)], longBefore, best);
        }
        if (best == NONE && count >= MIN_MATCH_TOKENS) {
            best = search(tokens, count, shortLast[hash(tokens, count, MIN_MATCH_TOKENS)], shortBefore, best);
        }
        source = best == NONE ? NONE : best + 1;
        sourceCount = count;
        return source;
    }

    /** Tokens of the run that was found last, 64 at most. */
    public int matchTokens() {
        return matchTokens;
    }

    private int search(int[] tokens, int count, int last, int[] before, int known) {
        int best = known;
        int place = last;
        for (int i = 0; i < PLACES_MAX && place != NONE && matchTokens < MATCH_TOKENS_MAX; i++) {
            best = better(tokens, count, place, best);
            place = before[place];
        }
        return best;
    }

    private int better(int[] tokens, int count, int place, int best) {
        int length = 0;
        int most = Math.min(MATCH_TOKENS_MAX, place + 1);
        while (length < most && tokens[place - length] == tokens[count - 1 - length]) {
            length++;
        }
        if (length <= matchTokens) {
            return best;
        }
        matchTokens = length;
        return place;
    }

    /** Enters the runs that end before this index. */
    private void enter(int[] tokens, int end) {
        if (end > capacity) {
            capacity = Math.max(INITIAL_CAPACITY, Integer.highestOneBit(end) * 2);
            longLast = none(capacity);
            shortLast = none(capacity);
            longBefore = new int[capacity];
            shortBefore = new int[capacity];
            entered = 0;
        }
        for (int place = Math.max(entered, MIN_MATCH_TOKENS - 1); place < end; place++) {
            int shortHash = hash(tokens, place + 1, MIN_MATCH_TOKENS);
            shortBefore[place] = shortLast[shortHash];
            shortLast[shortHash] = place;
            if (place >= LONG_RUN - 1) {
                int longHash = hash(tokens, place + 1, LONG_RUN);
                longBefore[place] = longLast[longHash];
                longLast[longHash] = place;
            }
        }
        entered = Math.max(entered, end);
    }

    /** Hash of the last tokens of so many. */
    private int hash(int[] tokens, int count, int run) {
        long hash = 0;
        for (int i = count - run; i < count; i++) {
            hash = (hash + tokens[i] + 1) * 0x9E3779B97F4A7C15L;
        }
        return (int) (hash >>> 33) & capacity - 1;
    }

    private static int[] none(int length) {
        int[] places = new int[length];
        Arrays.fill(places, NONE);
        return places;
    }
}
