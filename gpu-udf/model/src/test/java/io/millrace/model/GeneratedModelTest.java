package io.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.model.GeneratedModel.Options;
import io.millrace.model.ModelSpec.Activation;
import io.millrace.model.ModelSpec.RopeStyle;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class GeneratedModelTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen2", "qwen3", "gemma3"})
    void everyArchitectureOpensAsWhatWasAsked(String architecture) throws IOException {
        Options options = Options.tiny(architecture, 3);
        try (GgufModel model = GgufModel.open(write("a.gguf", options))) {
            ModelSpec spec = model.spec();
            assertThat(spec.architecture()).isEqualTo(architecture);
            assertThat(spec.vocabSize()).isEqualTo(512);
            assertThat(spec.layerCount()).isEqualTo(options.layerCount());
            assertThat(spec.embeddingLength()).isEqualTo(64);
            assertThat(spec.headCount()).isEqualTo(4);
            assertThat(spec.kvHeadCount()).isEqualTo(2);
            assertThat(spec.headDim()).isEqualTo(16);
            assertThat(spec.contextLength()).isEqualTo(4096);
            assertThat(spec.tiedOutput()).isEqualTo(options.tiedOutput());
            assertThat(spec.attentionBias()).isEqualTo(architecture.equals("qwen2"));
            assertThat(spec.queryKeyNorm()).isEqualTo(architecture.matches("qwen3|gemma3"));
            assertThat(spec.postNorms()).isEqualTo(architecture.equals("gemma3"));
            assertThat(spec.rope().style())
                    .isEqualTo(architecture.equals("llama") ? RopeStyle.INTERLEAVED : RopeStyle.HALVES);
            String[] tokens = model.metadata().getStringArray("tokenizer.ggml.tokens");
            assertThat(new HashSet<>(Arrays.asList(tokens))).hasSize(512);
        }
    }

    @Test
    void aCopyOfTheFirstLayersIsAModel(@TempDir Path directory) throws IOException {
        Path whole = directory.resolve("whole.gguf");
        Path part = directory.resolve("part.gguf");
        GeneratedModel.write(whole, GeneratedModel.Options.tiny("llama", 3).withShape(4, 64, 96, 4, 2, 16));
        ModelCopy.firstLayers(whole, part, 2);
        try (GgufModel model = GgufModel.open(whole);
                GgufModel first = GgufModel.open(part)) {
            assertThat(first.spec().layerCount()).isEqualTo(2);
            assertThat(first.spec().vocabSize()).isEqualTo(model.spec().vocabSize());
            assertThat(model.tensors().size() - first.tensors().size())
                    .isPositive()
                    .isEven();
            assertThat(first.tensors()).noneMatch(tensor -> tensor.name().startsWith("blk.2."));
        }
        assertThatThrownBy(() -> ModelCopy.firstLayers(whole, part, 5)).hasMessageContaining("has 4 layers");
    }

    @Test
    void gemmaSlidesInEverySecondLayer() throws IOException {
        try (GgufModel model = GgufModel.open(write("a.gguf", Options.tiny("gemma3", 3)))) {
            ModelSpec spec = model.spec();
            assertThat(spec.slidingWindow()).isEqualTo(32);
            assertThat(spec.isSliding(0)).isTrue();
            assertThat(spec.isSliding(1)).isFalse();
            assertThat(spec.rope().base()).isEqualTo(1_000_000f);
            assertThat(spec.slidingRope().base()).isEqualTo(10_000f);
            assertThat(spec.embeddingScale()).isEqualTo(8f);
            assertThat(spec.activation()).isEqualTo(Activation.GELU_TANH);
        }
    }

    @Test
    void sameSeedSameBytesAndAnotherSeedAnother() throws IOException {
        Path first = write("a.gguf", Options.tiny("llama", 3));
        Path again = write("b.gguf", Options.tiny("llama", 3));
        Path other = write("c.gguf", Options.tiny("llama", 4));
        assertThat(again).hasSameBinaryContentAs(first);
        assertThat(fingerprint(again)).isEqualTo(fingerprint(first));
        assertThat(fingerprint(other)).isNotEqualTo(fingerprint(first));
        // Pinned: a change here changes every model that tests were recorded on.
        assertThat(fingerprint(first)).isEqualTo("3dfb47a021dc1d61b3a871cdbe623823");
    }

    @Test
    void optionsReachTheFile() throws IOException {
        Options options = Options.tiny("llama", 1)
                .withShape(3, 96, 160, 6, 3, 32)
                .withLimits(600, 128)
                .withRope(true, 4f)
                .withTiedOutput(true);
        try (GgufModel model = GgufModel.open(write("a.gguf", options))) {
            ModelSpec spec = model.spec();
            assertThat(spec.layerCount()).isEqualTo(3);
            assertThat(spec.embeddingLength()).isEqualTo(96);
            assertThat(spec.headDim()).isEqualTo(32);
            assertThat(spec.vocabSize()).isEqualTo(600);
            assertThat(spec.contextLength()).isEqualTo(128);
            assertThat(spec.rope().positionScale()).isEqualTo(0.25f);
            assertThat(spec.rope().frequencyFactors()).hasSize(16).contains(1f, 8f);
            assertThat(spec.tiedOutput()).isTrue();
        }
        assertThatThrownBy(() -> Options.tiny("gpt2", 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @EnumSource(TensorType.class)
    void everyWeightTypeIsWritten(TensorType type) throws IOException {
        Options options =
                Options.tiny("llama", 5).withShape(1, 256, 256, 4, 2, 64).withWeightType(type);
        try (GgufModel model = GgufModel.open(write("a.gguf", options))) {
            assertThat(model.tensor("blk.0.attn_q.weight").type()).isEqualTo(type);
            assertThat(model.tensor("blk.0.attn_norm.weight").type()).isEqualTo(TensorType.F32);
        }
    }

    @Test
    void f32CopyKeepsMetadataAndValues() throws IOException {
        Options options = Options.tiny("qwen3", 5).withWeightType(TensorType.Q4_1);
        Path source = write("a.gguf", options);
        Path copy = folder.resolve("copy.gguf");
        ModelCopy.toF32(source, copy);
        try (GgufModel from = GgufModel.open(source);
                GgufModel to = GgufModel.open(copy)) {
            assertThat(to.metadata().keys())
                    .containsExactlyElementsOf(from.metadata().keys());
            for (String key : from.metadata().keys()) {
                assertThat(to.metadata().rawEntry(key))
                        .isEqualTo(from.metadata().rawEntry(key));
            }
            for (GgufTensor tensor : from.tensors()) {
                GgufTensor copied = to.tensor(tensor.name());
                assertThat(copied.type()).isEqualTo(TensorType.F32);
                float[] expected = new float[(int) tensor.rowLength()];
                float[] actual = new float[expected.length];
                for (long row = 0; row < tensor.rowCount(); row++) {
                    Dequantizer.dequantizeRow(tensor, row, expected, 0);
                    Dequantizer.dequantizeRow(copied, row, actual, 0);
                    assertThat(actual).isEqualTo(expected);
                }
            }
            assertThat(to.fingerprint()).isNotEqualTo(from.fingerprint());
        }
        assertThat(folder).isDirectoryNotContaining("glob:**.part");
    }

    private Path write(String name, Options options) throws IOException {
        Path file = folder.resolve(name);
        GeneratedModel.write(file, options);
        return file;
    }

    private static String fingerprint(Path file) {
        try (GgufModel model = GgufModel.open(file)) {
            return model.fingerprint();
        }
    }
}
