package io.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.model.ModelSpec.RopeStyle;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.CRC32;
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

    /** {@code src/test/python/make_real_golden.py} made the list with ggml's Python package. */
    @Test
    void everyTensorDequantisesAsTheReferenceSays() throws IOException {
        try (GgufModel model = GgufModel.open(RealModel.file());
                InputStream in = RealModelTest.class.getResourceAsStream("smollm2-crc32.txt")) {
            List<String> expected = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
            List<String> actual = model.tensors().stream()
                    .map(tensor -> String.format("%s %s %08x", tensor.name(), tensor.type(), crc32(tensor)))
                    .toList();
            assertThat(actual).isEqualTo(expected);
        }
    }

    private static long crc32(GgufTensor tensor) {
        CRC32 crc = new CRC32();
        float[] floats = new float[(int) tensor.rowLength()];
        ByteBuffer bytes = ByteBuffer.allocate(4 * floats.length).order(ByteOrder.LITTLE_ENDIAN);
        for (long row = 0; row < tensor.rowCount(); row++) {
            Dequantizer.dequantizeRow(tensor, row, floats, 0);
            bytes.asFloatBuffer().put(floats);
            crc.update(bytes.array());
        }
        return crc.getValue();
    }
}
