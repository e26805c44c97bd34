package io.millrace.backend.sim;

import io.millrace.model.GgufModel;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * What a simulated model says comes next: a few tokens have nearly all of the mass, and which they are and how much
 * each has is a hash of the context. They are tokens of text, never control tokens: a turn ends by its limit, or by
 * what it was asked to stop at.
 */
final class SimLogits {
    private static final int CANDIDATES = 4;
    /** All others together have e^-20 of the likeliest one's mass, times the vocabulary. */
    private static final float UNLIKELY = -20;

    private static final int NORMAL_TYPE = 1;
    private static final String TOKEN_TYPES = "tokenizer.ggml.token_type";

    private final int[] textTokens;

    private SimLogits(int[] textTokens) {
        this.textTokens = textTokens;
    }

    /** Those of a model's vocabulary. */
    static SimLogits of(GgufModel model) {
        int vocabSize = model.spec().vocabSize();
        int[] types = model.metadata().getIntArray(TOKEN_TYPES, new int[0]);
        int[] normal = IntStream.range(0, Math.min(vocabSize, types.length))
                .filter(id -> types[id] == NORMAL_TYPE)
                .toArray();
        return new SimLogits(
                normal.length > 0 ? normal : IntStream.range(0, vocabSize).toArray());
    }

    /** Writes the logits that follow a context of this hash. */
    void write(long contextHash, float[] row) {
        Arrays.fill(row, UNLIKELY);
        long hash = contextHash;
        for (int i = 0; i < CANDIDATES; i++) {
            hash = SimBlocks.mix(hash + i);
            int index = (int) ((hash >>> 32) % textTokens.length);
            // From 0 to 4, in steps that a float holds exactly.
            row[textTokens[index]] = (hash & 0xFFFF) * 0x1p-14f;
        }
    }
}
