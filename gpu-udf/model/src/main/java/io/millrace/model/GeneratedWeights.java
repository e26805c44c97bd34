package io.millrace.model;

/** Random weights that make a model whose tokens depend on all of its context. */
final class GeneratedWeights {
    /** Small beside what the layers add, or a tied output would repeat the last token for ever. */
    private static final float EMBEDDING_DEVIATION = 0.05f;

    private static final float LOGIT_DEVIATION = 3f;
    private static final float QUERY_KEY_GAIN = 1.5f;
    private static final float OUTPUT_GAIN = 2f;

    /** Of a uniform distribution from -1 to 1. */
    private static final float UNIFORM_DEVIATION = 0.57735026f;

    private final ModelSpec spec;
    private final long seed;

    GeneratedWeights(ModelSpec spec, long seed) {
        this.spec = spec;
        this.seed = seed;
    }

    /** Returns the rows of a tensor; each row is a function of the seed, the name and its index. */
    GgufWriter.RowSource rows(String name) {
        long stream = mix(seed ^ hash(name));
        if (name.equals(ModelTensors.ROPE_FREQUENCIES)) {
            // As in Llama 3: high frequencies stay, low ones turn up to eight times slower.
            return (row, floats) -> {
                for (int i = 0; i < floats.length; i++) {
                    floats[i] = 1f + 7f * i / Math.max(1, floats.length - 1);
                }
            };
        }
        float center = name.endsWith("norm.weight") ? center(name) : 0f;
        return (row, floats) -> {
            float width = deviation(name, floats.length) / UNIFORM_DEVIATION;
            long state = mix(stream + row);
            for (int i = 0; i < floats.length; i++) {
                state += 0x9E37_79B9_7F4A_7C15L;
                // 24 bits, all that a float holds, from -1 up to 1.
                float uniform = (mix(state) >> 40) * 0x1p-23f;
                floats[i] = center + uniform * width;
            }
        };
    }

    private float center(String name) {
        if (!name.equals(ModelTensors.OUTPUT_NORM) || !spec.tiedOutput()) {
            return 1f;
        }
        return LOGIT_DEVIATION / (embeddingDeviation() * (float) Math.sqrt(spec.embeddingLength()));
    }

    private float deviation(String name, int rowLength) {
        float unit = 1f / (float) Math.sqrt(rowLength);
        if (name.equals(ModelTensors.EMBEDDING)) {
            return embeddingDeviation();
        } else if (name.equals(ModelTensors.OUTPUT)) {
            return LOGIT_DEVIATION * unit;
        } else if (name.endsWith("norm.weight")) {
            return 0.1f;
        } else if (name.endsWith(".bias")) {
            return 0.3f;
        } else if (name.endsWith("attn_q.weight") || name.endsWith("attn_k.weight")) {
            return QUERY_KEY_GAIN * unit;
        } else if (name.endsWith("attn_output.weight") || name.endsWith("ffn_down.weight")) {
            return OUTPUT_GAIN * unit;
        }
        return unit;
    }

    private float embeddingDeviation() {
        return EMBEDDING_DEVIATION / spec.embeddingScale();
    }

    private static long hash(String name) {
        long hash = 0xCBF2_9CE4_8422_2325L;
        for (int i = 0; i < name.length(); i++) {
            hash = (hash ^ name.charAt(i)) * 0x100_0000_01B3L;
        }
        return hash;
    }

    /** SplitMix64's output function: written out, so that no other Java's library changes a model. */
    private static long mix(long value) {
        long mixed = (value ^ (value >>> 30)) * 0xBF58_476D_1CE4_E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D0_49BB_1331_11EBL;
        return mixed ^ (mixed >>> 31);
    }
}
