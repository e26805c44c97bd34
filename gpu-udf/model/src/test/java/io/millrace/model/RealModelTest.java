package io.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.model.ModelSpec.RopeStyle;
import org.junit.jupiter.api.Test;

class RealModelTest {
    @Test
    void specIsTheDemoModels() {
        try (GgufModel model = GgufModel.open(RealModel.file())) {
            ModelSpec spec = model.spec();
            assertThat(spec.architecture()).isEqualTo("llama");
            assertThat(spec.layerCount()).isEqualTo(30);
            assertThat(spec.embeddingLength()).isEqualTo(576);
            assertThat(spec.feedForwardLength()).isEqualTo(1536);
            assertThat(spec.headCount()).isEqualTo(9);
            assertThat(spec.kvHeadCount()).isEqualTo(3);
            assertThat(spec.headDim()).isEqualTo(64);
            assertThat(spec.vocabSize()).isEqualTo(49152);
            assertThat(spec.contextLength()).isEqualTo(8192);
            assertThat(spec.rope().style()).isEqualTo(RopeStyle.INTERLEAVED);
            assertThat(spec.rope().base()).isEqualTo(100_000f);
            assertThat(spec.attentionScale()).isEqualTo(0.125f);
            assertThat(spec.tiedOutput()).isTrue();
            assertThat(model.metadata().getStringArray("tokenizer.ggml.tokens")).hasSize(49152);
            assertThat(model.tensor("token_embd.weight").type()).isEqualTo(TensorType.Q8_0);
            assertThat(model.fingerprint()).matches("[0-9a-f]{32}").isEqualTo(model.fingerprint());
        }
    }
}
