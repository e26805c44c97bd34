package io.millrace.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.model.GeneratedModel;
import io.millrace.model.GgufModel;
import io.millrace.model.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Logits agree with a decoder in double precision that shares no code with the backend. */
class ReferenceDecoderTest {
    /** Of the spread of the logits: single precision over a few layers of a few hundred terms. */
    private static final double TOLERANCE = 2e-5;

    private static final int PROMPT = 70;

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen2", "qwen3", "gemma3"})
    void architecturesAgree(String architecture) throws IOException {
        agree(TestingModels.wideHeads(architecture, 31));
        agree(GeneratedModel.Options.tiny(architecture, 32));
    }

    @Test
    void frequencyFactorsAndLinearScalingAgree() throws IOException {
        agree(GeneratedModel.Options.tiny("llama", 33).withRope(true, 1f));
        agree(GeneratedModel.Options.tiny("llama", 34).withRope(false, 4f));
        agree(GeneratedModel.Options.tiny("gemma3", 35).withRope(false, 8f));
    }

    @Test
    void tiedAndSeparateOutputMatricesAgree() throws IOException {
        agree(GeneratedModel.Options.tiny("llama", 36).withTiedOutput(true));
        agree(GeneratedModel.Options.tiny("qwen2", 37).withTiedOutput(false));
    }

    @ParameterizedTest
    @EnumSource(TensorType.class)
    void formatsAgree(TensorType type) throws IOException {
        agree(TestingModels.quantized(type, 38));
    }

    private void agree(GeneratedModel.Options options) throws IOException {
        try (GgufModel model = TestingModels.generate(folder, options)) {
            int[] tokens = TestingModels.tokens(3, PROMPT, model.spec().vocabSize());
            double[] expected = new ReferenceDecoder(model).logits(tokens);
            InstanceSpec spec = TestingModels.spec(model, 2);
            try (ModelInstance instance = TestingModels.load(spec, TestingModels.vector())) {
                TestingSequences sequences = new TestingSequences(spec, instance);
                float[] actual = sequences.prefill(sequences.newSequence(), tokens, 32);
                assertThat(greatestDifference(expected, actual) / spread(expected))
                        .as("greatest difference over the spread, %s", options)
                        .isLessThan(TOLERANCE);
            }
        }
    }

    private static double greatestDifference(double[] expected, float[] actual) {
        double greatest = 0;
        for (int i = 0; i < expected.length; i++) {
            greatest = Math.max(greatest, Math.abs(expected[i] - actual[i]));
        }
        return greatest;
    }

    private static double spread(double[] values) {
        double min = Double.POSITIVE_INFINITY;
        double max = Double.NEGATIVE_INFINITY;
        for (double value : values) {
            min = Math.min(min, value);
            max = Math.max(max, value);
        }
        return max - min;
    }
}
