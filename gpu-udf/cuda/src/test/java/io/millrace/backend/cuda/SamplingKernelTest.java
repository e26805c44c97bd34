package io.millrace.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.millrace.backend.cuda.testing.EmulationLibrary;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.PlainSampler;
import io.millrace.engine.backend.SamplingNoise;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The kernels of {@code sampling.cu} choose the tokens that Java does, from logarithms of the same bits. */
class SamplingKernelTest {
    private static final int ARGUMENT_BYTES = 64;
    private static final int ROW_BYTES = 32;
    private static final int THREADS = 256;
    private static final int CHUNKS_MAX = 64;
    private static final int UNTOUCHED = -77;
    private static final long SEED = 11;

    @BeforeEach
    void kernelsAreEmulated() {
        assumeTrue(EmulationLibrary.isBuilt(), "the CUDA kernels were not compiled for the host: there is no g++");
    }

    @Test
    void logarithmsAreThoseOfStrictMath() {
        Random random = new Random(SEED);
        // All positive numbers; those about 1; the noise's own; and those on both sides of where formulas change.
        check(1 << 20, i -> Double.longBitsToDouble(random.nextLong() >>> 1 & 0x7fefffffffffffffL));
        check(1 << 20, i -> 0.5 + 1.5 * random.nextDouble());
        check(1 << 20, i -> -((random.nextLong() >>> 11) + 0.5) * 0x1p-53);
        check(1 << 20, i -> 40 * random.nextDouble());
        check(1 << 20, i -> 1 + random.nextGaussian() * Math.scalb(1.0, -1 - random.nextInt(50)));
        check(1 << 20, i -> random.nextGaussian() * Math.scalb(1.0, -4 - random.nextInt(60)));
        double[] edges = {
            0,
            1,
            Math.sqrt(2),
            Math.sqrt(0.5),
            Math.sqrt(2) - 1,
            Math.sqrt(0.5) - 1,
            0x1p-29,
            0x1p-54,
            0x1p53,
            0x1p-1022,
            Double.MAX_VALUE,
            Double.longBitsToDouble(0x3fda827a00000000L),
            Double.longBitsToDouble(0xbfd2bec300000000L),
            Double.longBitsToDouble(0xbfd2bec400000000L),
            Double.longBitsToDouble(0x3fe6a09e00000000L)
        };
        for (double edge : edges) {
            for (double sign : new double[] {1, -1}) {
                long bits = Double.doubleToRawLongBits(sign * edge);
                check(4000, i -> Double.longBitsToDouble(bits + (long) i - 2000));
                check(4000, i -> Double.longBitsToDouble(bits + ((long) i - 2000 << 24)));
            }
        }
        check(3, i -> new double[] {Double.POSITIVE_INFINITY, -1, 0x1p-1074}[(int) i]);
    }

    @Test
    void noiseOfAllBitsIsTheLeastAndOfNoneTheLargest() {
        // x is 1 there, and 2^-54 here.
        assertThat(SamplingNoise.gumbel((1L << 53) - 1)).isEqualTo(Double.NEGATIVE_INFINITY);
        assertThat(SamplingNoise.gumbel(0)).isLessThan(SamplingNoise.MAX);
        double[] log1p = strict(new double[] {-1})[1];
        assertThat(log1p[0]).isEqualTo(Double.NEGATIVE_INFINITY);
        assertThat(strict(new double[] {-log1p[0]})[0][0]).isEqualTo(Double.POSITIVE_INFINITY);
    }

    @Test
    void tokensAreThoseOfTheHost() {
        Random random = new Random(SEED);
        int chosen = 0;
        int others = 0;
        for (int vocabulary : new int[] {1, 2, 3, 7, 37, 256, 1023, 4097, 32_003}) {
            for (int run = 0; run < (vocabulary > 5000 ? 2 : 12); run++) {
                int rows = 1 + random.nextInt(vocabulary > 5000 ? 8 : 20);
                Rows drawn = new Rows(rows, vocabulary, random);
                int chunks = run == 0
                        ? Math.min(CHUNKS_MAX, (vocabulary + 4095) / 4096)
                        : 1 + random.nextInt(run == 1 ? CHUNKS_MAX : 5);
                EmulationLibrary.load().millrace_configure(1, run % 4, 0);
                int[] tokens = drawn.tokens(chunks, rows + random.nextInt(3));
                for (int row = 0; row < rows; row++) {
                    String what = "seed " + SEED + ", vocabulary " + vocabulary + ", run " + run + ", row " + row;
                    if (drawn.batch.sampling[row] == Batch.HOST) {
                        assertThat(tokens[row]).as(what).isEqualTo(UNTOUCHED);
                        continue;
                    }
                    int expected = PlainSampler.choose(drawn.logits[row], drawn.batch, row);
                    assertThat(tokens[row]).as(what).isEqualTo(expected);
                    chosen++;
                    others += expected >= 0 && expected != PlainSampler.argMax(drawn.logits[row]) ? 1 : 0;
                }
            }
        }
        assertThat(chosen).isGreaterThan(400);
        assertThat(others).isGreaterThan(100);
    }

    /** Rows of logits of all kinds, and how they are sampled. */
    private static final class Rows {
        final int vocabulary;
        final float[][] logits;
        final Batch batch;

        Rows(int rows, int vocabulary, Random random) {
            this.vocabulary = vocabulary;
            logits = new float[rows][vocabulary];
            batch = new Batch(rows, rows);
            batch.logitsCount = rows;
            for (int row = 0; row < rows; row++) {
                fill(logits[row], random);
                int kind = random.nextInt(8);
                batch.sampling[row] = kind == 0 ? Batch.HOST : kind == 1 ? Batch.GREEDY : Batch.NOISE;
                float temperature = random.nextInt(6) == 0 ? Float.MIN_VALUE : 0.05f + 3 * random.nextFloat();
                batch.scales[row] = 1.0 / temperature;
                float minP = random.nextInt(2) == 0 ? 0 : random.nextFloat();
                batch.minLogitOffsets[row] = PlainSampler.minLogitOffset(temperature, minP);
                batch.noiseKeys[row] = SamplingNoise.key(random.nextLong(), random.nextInt(1000));
            }
        }

        private static void fill(float[] row, Random random) {
            int kind = random.nextInt(6);
            for (int token = 0; token < row.length; token++) {
                row[token] = switch (kind) {
                    case 0 -> (float) random.nextGaussian() * 3;
                    // Many equals, and zeros of both signs.
                    case 1 -> random.nextInt(3) * (random.nextBoolean() ? 0.5f : -0.5f);
                    case 2 -> 7.25f;
                    case 3 -> Float.intBitsToFloat(random.nextInt() & 0xbf7fffff);
                    default -> random.nextFloat() * 30 - 15;
                };
            }
            if (random.nextInt(8) == 0) {
                float[] bad = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
                row[random.nextInt(row.length)] = bad[random.nextInt(3)];
            }
        }

        /** What the kernels choose, with CTAs for so many rows. */
        int[] tokens(int chunks, int gridRows) {
            int rows = logits.length;
            int stride = (vocabulary + 15) / 16 * 16;
            long header = 0;
            long logitsAt = 256;
            long rowsAt = logitsAt + 4L * rows * stride;
            long maximaAt = rowsAt + (long) ROW_BYTES * rows;
            long bestsAt = maximaAt + 8L * rows * chunks;
            long arrivalsAt = bestsAt + 16L * rows * chunks;
            long tokensAt = arrivalsAt + 4L * rows;
            // Aligned as a device's memory is.
            Memory whole = new Memory(tokensAt + 4L * rows + 256);
            whole.clear();
            Memory memory = (Memory) whole.align(256);
            memory.setInt(header + 8, rows);
            for (int row = 0; row < rows; row++) {
                memory.write(logitsAt + 4L * row * stride, logits[row], 0, vocabulary);
                for (int token = vocabulary; token < stride; token++) {
                    memory.setFloat(logitsAt + 4L * (row * stride + token), Float.NaN);
                }
                memory.setDouble(rowsAt + ROW_BYTES * row, batch.scales[row]);
                memory.setDouble(rowsAt + ROW_BYTES * row + 8, batch.minLogitOffsets[row]);
                memory.setLong(rowsAt + ROW_BYTES * row + 16, batch.noiseKeys[row]);
                memory.setInt(rowsAt + ROW_BYTES * row + 24, batch.sampling[row]);
                memory.setInt(tokensAt + 4L * row, UNTOUCHED);
            }
            Memory arguments = new Memory(ARGUMENT_BYTES);
            long base = Pointer.nativeValue(memory);
            long[] addresses = {header, logitsAt, rowsAt, maximaAt, bestsAt, arrivalsAt, tokensAt};
            for (int i = 0; i < addresses.length; i++) {
                arguments.setLong(8L * i, base + addresses[i]);
            }
            arguments.setInt(56, vocabulary);
            arguments.setInt(60, stride);
            for (String kernel : new String[] {"sample_max", "sample_choose"}) {
                EmulationLibrary library = EmulationLibrary.load();
                int result = library.millrace_launch(kernel, chunks, gridRows, 1, THREADS, 1, 1, 0, arguments);
                assertThat(result).as(() -> library.millrace_error()).isZero();
            }
            assertThat(memory.getIntArray(arrivalsAt, rows)).containsOnly(0);
            return memory.getIntArray(tokensAt, rows);
        }
    }

    private static void check(int count, DoubleUnaryOperator argument) {
        double[] arguments = new double[count];
        for (int i = 0; i < count; i++) {
            arguments[i] = argument.applyAsDouble(i);
        }
        double[][] results = strict(arguments);
        for (int i = 0; i < count; i++) {
            double x = arguments[i];
            if (x >= 0 && !equal(results[0][i], StrictMath.log(x))) {
                assertThat(results[0][i]).as("log(%a)", x).isEqualTo(StrictMath.log(x));
            }
            if (x >= -1 && !equal(results[1][i], StrictMath.log1p(x))) {
                assertThat(results[1][i]).as("log1p(%a)", x).isEqualTo(StrictMath.log1p(x));
            }
        }
    }

    private static boolean equal(double a, double b) {
        return Double.doubleToRawLongBits(a) == Double.doubleToRawLongBits(b);
    }

    private static double[][] strict(double[] arguments) {
        double[][] results = new double[2][arguments.length];
        EmulationLibrary.load().millrace_strict(arguments, results[0], results[1], arguments.length);
        return results;
    }
}
