package io.millrace.grammar;

import org.jspecify.annotations.Nullable;

/** Cuts bytes that a grammar forces into tokens. */
final class ForcedRun {
    private ForcedRun() {}

    /**
     * @param run the bytes
     * @param whole whether nothing but the end can follow them
     * @param limit most tokens
     */
    static int[] tokens(
            GrammarVocabulary vocabulary, @Nullable ForcedTokens cutter, byte[] run, boolean whole, int limit) {
        IntList tokens = new IntList();
        int length = 0;
        if (cutter != null && run.length > 0) {
            for (int token : cutter.tokens(run.clone())) {
                byte[] bytes = token < 0 || token >= vocabulary.size() ? null : vocabulary.tokenBytes(token);
                if (bytes == null || !continues(run, length, bytes)) {
                    break;
                }
                tokens.add(token);
                length += bytes.length;
            }
        }
        while (length < run.length && tokens.size() < limit) {
            int token = vocabulary.longestToken(run, length, run.length);
            byte[] bytes = token < 0 ? null : vocabulary.tokenBytes(token);
            if (bytes == null) {
                break;
            }
            tokens.add(token);
            length += bytes.length;
        }
        int[] ends = vocabulary.endTokens();
        if (whole && length == run.length && ends.length == 1) {
            tokens.add(ends[0]);
        }
        while (tokens.size() > limit) {
            tokens.removeLast();
        }
        return tokens.toArray();
    }

    private static boolean continues(byte[] run, int from, byte[] bytes) {
        if (bytes.length > run.length - from) {
            return false;
        }
        for (int i = 0; i < bytes.length; i++) {
            if (run[from + i] != bytes[i]) {
                return false;
            }
        }
        return true;
    }
}
