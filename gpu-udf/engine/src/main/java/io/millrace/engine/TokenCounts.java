package io.millrace.engine;

import java.util.Arrays;

/** The distinct tokens of a sequence and how often each is in its output: what penalties need. A small hash table. */
final class TokenCounts {
    private static final int EMPTY = -1;

    private int[] tokenIds = new int[64];
    private int[] outputCounts = new int[64];
    private int size;

    TokenCounts() {
        Arrays.fill(tokenIds, EMPTY);
    }

    /** Notes a token of the prompt. */
    void addPrompt(int tokenId) {
        entry(tokenId);
    }

    /** Notes a token of the output. */
    void addOutput(int tokenId) {
        // In two statements: finding the entry may replace the array.
        int index = entry(tokenId);
        outputCounts[index]++;
    }

    /**
     * Applies the penalties in the order vLLM does: repetition, then frequency, then presence. Every logit changes by
     * its own token's counts alone, so the table's order does not matter.
     */
    void penalise(float[] logits, SamplingParameters sampling) {
        for (int i = 0; i < tokenIds.length; i++) {
            int tokenId = tokenIds[i];
            if (tokenId == EMPTY) {
                continue;
            }
            float logit = logits[tokenId];
            logit = logit > 0 ? logit / sampling.repetitionPenalty() : logit * sampling.repetitionPenalty();
            if (outputCounts[i] > 0) {
                logit -= sampling.frequencyPenalty() * outputCounts[i];
                logit -= sampling.presencePenalty();
            }
            logits[tokenId] = logit;
        }
    }

    private int entry(int tokenId) {
        int index = find(tokenIds, tokenId);
        if (tokenIds[index] == EMPTY) {
            if (2 * (size + 1) > tokenIds.length) {
                grow();
                index = find(tokenIds, tokenId);
            }
            tokenIds[index] = tokenId;
            size++;
        }
        return index;
    }

    private static int find(int[] table, int tokenId) {
        int mask = table.length - 1;
        int index = (tokenId * 0x9E3779B9) >>> 7 & mask;
        while (table[index] != EMPTY && table[index] != tokenId) {
            index = (index + 1) & mask;
        }
        return index;
    }

    private void grow() {
        int[] largerIds = new int[tokenIds.length * 2];
        int[] largerCounts = new int[largerIds.length];
        Arrays.fill(largerIds, EMPTY);
        for (int i = 0; i < tokenIds.length; i++) {
            if (tokenIds[i] != EMPTY) {
                int index = find(largerIds, tokenIds[i]);
                largerIds[index] = tokenIds[i];
                largerCounts[index] = outputCounts[i];
            }
        }
        tokenIds = largerIds;
        outputCounts = largerCounts;
    }
}
