package io.millrace.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.backend.cpu.kernel.AttentionOperands;
import io.millrace.backend.cpu.kernel.Exponential;
import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.backend.cpu.kernel.MatrixPacker;
import io.millrace.backend.cpu.kernel.PackedMatrix;
import io.millrace.backend.cpu.kernel.ScalarKernels;
import io.millrace.model.Dequantizer;
import io.millrace.model.GeneratedModel;
import io.millrace.model.GgufModel;
import io.millrace.model.GgufTensor;
import io.millrace.model.ModelSpec.Activation;
import io.millrace.model.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every kernel against its definition, and the vector kernels against the scalar ones, bit for bit. */
class KernelsTest {
    private static final int ROWS_MAX = 15;

    @TempDir
    Path folder;

    private final Kernels vector = TestingModels.vector();
    private final Kernels scalar = new ScalarKernels(vector.tileLanes());

    @ParameterizedTest
    @EnumSource(TensorType.class)
    void productsAreChainsOverTheDequantisedWeights(TensorType type) throws IOException {
        GeneratedModel.Options options = TestingModels.quantized(type, 41);
        try (GgufModel model = TestingModels.generate(folder, options)) {
            for (String name : new String[] {"blk.0.ffn_gate.weight", "blk.1.ffn_down.weight", "blk.0.attn_k.weight"}) {
                checkProducts(model.tensor(name));
            }
        }
    }

    private void checkProducts(GgufTensor tensor) {
        int columns = (int) tensor.rowLength();
        PackedMatrix matrix = MatrixPacker.pack(tensor, vector.tileLanes());
        assertThat(matrix.byteCount()).isGreaterThanOrEqualTo(MatrixPacker.packedBytes(tensor));
        float[] inputs = floats(7, ROWS_MAX * columns, 1);
        float[] expected = chains(tensor, inputs, ROWS_MAX, columns);
        for (Kernels kernels : new Kernels[] {scalar, vector}) {
            for (int rows = 1; rows <= ROWS_MAX; rows++) {
                assertThat(multiply(kernels, matrix, inputs, rows))
                        .as("%s, %s kernels, %d rows", tensor, kernels.name(), rows)
                        .containsExactly(Arrays.copyOf(expected, rows * matrix.rowCount()));
            }
        }
        PackedMatrix narrow = MatrixPacker.pack(tensor, 8);
        assertThat(multiply(vector, narrow, inputs, 3))
                .as("%s, tiles of 8 lanes", tensor)
                .containsExactly(Arrays.copyOf(expected, 3 * matrix.rowCount()));
    }

    private static float[] chains(GgufTensor tensor, float[] inputs, int rows, int columns) {
        int outputs = (int) tensor.rowCount();
        float[] result = new float[rows * outputs];
        float[] weights = new float[columns];
        for (int output = 0; output < outputs; output++) {
            Dequantizer.dequantizeRow(tensor, output, weights, 0);
            for (int row = 0; row < rows; row++) {
                float chain = 0;
                for (int i = 0; i < columns; i++) {
                    chain = Math.fma(inputs[row * columns + i], weights[i], chain);
                }
                result[row * outputs + output] = chain;
            }
        }
        return result;
    }

    private static float[] multiply(Kernels kernels, PackedMatrix matrix, float[] inputs, int rows) {
        int lanes = matrix.tileLanes();
        float[] tile = new float[rows * lanes];
        float[] panel = new float[TileProducts.PANEL_COLUMNS_MAX * lanes];
        float[] result = new float[rows * matrix.rowCount()];
        for (int t = 0; t < matrix.tileCount(); t++) {
            TileProducts.multiply(kernels, matrix, t, inputs, 0, matrix.columnCount(), rows, tile, panel);
            for (int row = 0; row < rows; row++) {
                System.arraycopy(tile, row * lanes, result, row * matrix.rowCount() + t * lanes, matrix.tileRows(t));
            }
        }
        return result;
    }

    @Test
    void accumulationIsTheSameForAnyNumberOfRowsAndAnyWidth() {
        float[] a = floats(1, 9 * 100, 1);
        float[] b = floats(2, 100 * 128, 1);
        for (int width : new int[] {8, 16, 32, 64, 128}) {
            for (int rows = 1; rows <= 9; rows++) {
                float[] expected = accumulate(scalar, a, b, rows, 61, width);
                assertThat(accumulate(vector, a, b, rows, 61, width))
                        .as("%d rows, width %d", rows, width)
                        .containsExactly(expected);
            }
        }
    }

    private static float[] accumulate(Kernels kernels, float[] a, float[] b, int rows, int steps, int width) {
        float[] c = floats(3, 9 * 130, 1);
        AttentionOperands operands = new AttentionOperands();
        operands.setA(a, 3, 97);
        operands.setB(b, 5, 125);
        operands.setC(c, 1, 129);
        kernels.accumulate(operands, rows, steps, Math.min(width, 120));
        return c;
    }

    @Test
    void softmaxWeightsAreTheSameAndSumToTheirSum() {
        for (int from = 0; from < 40; from += 7) {
            for (int to = from + 1; to < 150; to += 13) {
                float[] expected = floats(from * 1000 + to, 200, 30);
                float[] actual = expected.clone();
                float[] lanes = new float[Kernels.SUM_LANES];
                float expectedSum = scalar.softmaxWeights(expected, 16, from, to, 0.3f, lanes);
                float actualSum = vector.softmaxWeights(actual, 16, from, to, 0.3f, lanes);
                assertThat(actual).containsExactly(expected);
                assertThat(actualSum).isEqualTo(expectedSum);
                double sum = 0;
                for (int i = from; i < to; i++) {
                    sum += actual[16 + i];
                }
                assertThat(sum / actualSum).isBetween(1 - 1e-6, 1 + 1e-6);
            }
        }
    }

    @Test
    void sumsOfSquaresAreTheSame() {
        for (int count : new int[] {1, 15, 16, 17, 64, 100, 576}) {
            float[] x = floats(count, count + 3, 2);
            float[] lanes = new float[Kernels.SUM_LANES];
            float expected = scalar.sumOfSquares(x, 3, count, lanes);
            assertThat(vector.sumOfSquares(x, 3, count, lanes)).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @EnumSource(Activation.class)
    void activationsAreTheSame(Activation activation) {
        float[] expected = floats(5, 4 * vector.tileLanes(), 40);
        expected[0] = 200f;
        expected[1] = -200f;
        expected[2] = 0f;
        expected[3] = -1e-30f;
        float[] actual = expected.clone();
        float[] up = floats(6, expected.length, 1);
        scalar.activate(activation, expected, up, expected.length);
        vector.activate(activation, actual, up, actual.length);
        assertThat(actual).containsExactly(expected);
    }

    @Test
    void exponentialIsWithinTwoUnitsOfTheLastPlace() {
        for (double x = -86.9; x < 87.9; x += 0.0137) {
            double exact = Math.exp((float) x);
            assertThat(Exponential.exp((float) x) / exact).as("exp(%s)", x).isBetween(1 - 2.4e-7, 1 + 2.4e-7);
        }
        assertThat(Exponential.exp(Float.NEGATIVE_INFINITY)).isZero();
        assertThat(Exponential.exp(0)).isEqualTo(1);
        assertThat(Exponential.exp(1e9f)).isFinite();
    }

    private static float[] floats(long seed, int count, float scale) {
        Random random = new Random(seed);
        float[] result = new float[count];
        for (int i = 0; i < count; i++) {
            result[i] = (float) random.nextGaussian() * scale;
        }
        return result;
    }
}
