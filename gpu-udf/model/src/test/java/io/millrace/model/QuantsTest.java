package io.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Against {@code quants.bin}, which {@code src/test/python/make_quant_golden.py} made with ggml's Python package. */
class QuantsTest {
    private static final int END = -1;

    private ByteBuffer golden;

    @BeforeEach
    void readGolden() throws IOException {
        try (InputStream in = QuantsTest.class.getResourceAsStream("quants.bin")) {
            golden = ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    @Test
    void dequantisesEveryTypeBitForBitAsTheReference() {
        int typeCount = 0;
        for (int id = golden.getInt(); id != END; id = golden.getInt()) {
            TensorType type = TensorType.byGgmlId(id);
            byte[] blocks = nextBytes();
            float[] expected = nextFloats();
            float[] actual = dequantize(type, blocks, expected.length);
            for (int i = 0; i < expected.length; i++) {
                assertThat(Float.floatToIntBits(actual[i]))
                        .as("%s element %d: expected %s, found %s", type, i, expected[i], actual[i])
                        .isEqualTo(Float.floatToIntBits(expected[i]));
            }
            typeCount++;
        }
        assertThat(typeCount).isEqualTo(TensorType.values().length);
    }

    @Test
    void quantisesTheSimpleTypesByteForByteAsTheReference() {
        for (int id = golden.getInt(); id != END; id = golden.getInt()) {
            nextBytes();
            nextFloats();
        }
        float[] values = nextFloats();
        int typeCount = 0;
        for (int id = golden.getInt(); id != END; id = golden.getInt()) {
            TensorType type = TensorType.byGgmlId(id);
            byte[] expected = nextBytes();
            byte[] actual = quantize(type, values);
            assertThat(actual).as(type.toString()).isEqualTo(expected);
            typeCount++;
        }
        assertThat(typeCount).isEqualTo(7);
    }

    @ParameterizedTest
    @EnumSource(TensorType.class)
    void whatIsQuantisedComesBackNearly(TensorType type) {
        SplittableRandom random = new SplittableRandom(11);
        float[] values = new float[1024];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        float[] back = dequantize(type, quantize(type, values), values.length);
        float errorMax = switch (type) {
            case F32 -> 0f;
            case F16 -> 0.0005f;
            case BF16 -> 0.004f;
            case Q8_0 -> 0.005f;
            case Q6_K -> 0.02f;
            case Q5_0, Q5_1, Q5_K -> 0.07f;
            case Q4_0, Q4_1, Q4_K -> 0.14f;
        };
        for (int i = 0; i < values.length; i++) {
            assertThat(Math.abs(back[i] - values[i]))
                    .as("%s element %d", type, i)
                    .isLessThanOrEqualTo(errorMax);
        }
    }

    @ParameterizedTest
    @EnumSource(TensorType.class)
    void zerosStayZeros(TensorType type) {
        float[] values = new float[256];
        for (float back : dequantize(type, quantize(type, values), values.length)) {
            // Minus zero is a zero too.
            assertThat(back == 0f).isTrue();
        }
    }

    @Test
    void refusesRangesOutsideItsBuffers() {
        ByteBuffer blocks = ByteBuffer.allocate(36).order(ByteOrder.LITTLE_ENDIAN);
        float[] floats = new float[64];
        Dequantizer.dequantize(TensorType.Q4_0, blocks, 0, floats, 0, 64);
        assertThatThrownBy(() -> Dequantizer.dequantize(TensorType.Q4_0, blocks, 1, floats, 0, 64))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Dequantizer.dequantize(TensorType.Q4_0, blocks, 0, floats, 1, 64))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> Dequantizer.dequantize(TensorType.Q4_0, blocks, 0, floats, 0, 33))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static byte[] quantize(TensorType type, float[] values) {
        byte[] bytes = new byte[(int) type.bytesFor(values.length)];
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        Quantizer.quantize(type, values, 0, buffer, 0, values.length);
        return bytes;
    }

    private static float[] dequantize(TensorType type, byte[] bytes, int elementCount) {
        float[] floats = new float[elementCount];
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        Dequantizer.dequantize(type, buffer, 0, floats, 0, elementCount);
        return floats;
    }

    private byte[] nextBytes() {
        byte[] bytes = new byte[golden.getInt()];
        golden.get(bytes);
        return bytes;
    }

    private float[] nextFloats() {
        float[] floats = new float[golden.getInt()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = golden.getFloat();
        }
        return floats;
    }
}
