package io.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.model.GeneratedModel.Options;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damages valid files in thousands of ways: each either opens, and then all of it can be read, or is refused by name.
 *
 * <p>{@code -Dmillrace.fuzz.cases=1000000 -Dmillrace.fuzz.seed=1} runs more of them.
 */
class GgufFuzzTest {
    private static final int CASES = Integer.getInteger("millrace.fuzz.cases", 2000);
    private static final long SEED = Long.getLong("millrace.fuzz.seed", 20_261_123L);
    private static final long[] NUMBERS = {
        0,
        1,
        -1,
        2,
        3,
        255,
        1 << 16,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        1L << 32,
        (1L << 32) - 1,
        1L << 40,
        1L << 62,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        1000,
        31,
        257
    };

    @TempDir
    Path folder;

    @SuppressWarnings("ArrayRecordComponent") // Never compared.
    private record Base(byte[] bytes, int metadataEnd, int dataStart) {}

    @Test
    @Timeout(3600)
    void damagedFilesAreReadOrRefused() throws IOException {
        Base[] bases = {base("llama", TensorType.Q4_K), base("gemma3", TensorType.Q5_1), base("qwen2", TensorType.F32)};
        int openedCount = 0;
        for (int i = 0; i < CASES; i++) {
            long seed = SEED + i;
            byte[] damaged = damage(bases[i % bases.length], new SplittableRandom(seed));
            Path file = folder.resolve("fuzzed.gguf");
            // A new file each time: the last one's mapping must not see this one's bytes.
            Files.deleteIfExists(file);
            Files.write(file, damaged);
            try {
                openedCount += openAndReadAll(file) ? 1 : 0;
            } catch (Throwable e) {
                throw new AssertionError("millrace.fuzz.seed=" + seed + " base " + i % bases.length, e);
            }
        }
        // Both ways must be walked, or the damage is too great or too small.
        assertThat(openedCount).isBetween(CASES / 20, CASES - CASES / 20);
    }

    private static boolean openAndReadAll(Path file) {
        try (GgufModel model = GgufModel.open(file)) {
            readAll(model);
            return true;
        } catch (ServingException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.MODEL_FILE_INVALID);
            assertThat(e.getMessage()).contains("fuzzed.gguf");
            return false;
        }
    }

    private static void readAll(GgufModel model) {
        assertThat(model.fingerprint()).hasSize(32);
        for (GgufTensor tensor : model.tensors()) {
            assertThat((long) tensor.data().remaining()).isEqualTo(tensor.byteCount());
            float[] row = new float[(int) tensor.rowLength()];
            for (long r = 0; r < tensor.rowCount(); r += Math.max(1, tensor.rowCount() / 8)) {
                Dequantizer.dequantizeRow(tensor, r, row, 0);
            }
        }
        GgufMetadata metadata = model.metadata();
        for (String key : metadata.keys()) {
            assertThat(metadata.rawEntry(key).remaining()).isPositive();
        }
        metadata.getStringArray("tokenizer.ggml.tokens", new String[0]);
        metadata.getStringArray("tokenizer.ggml.merges", new String[0]);
        metadata.getIntArray("tokenizer.ggml.token_type", new int[0]);
        metadata.getFloatArray("tokenizer.ggml.scores", new float[0]);
        metadata.getString("tokenizer.chat_template", "");
    }

    private Base base(String architecture, TensorType type) throws IOException {
        Path file = folder.resolve("base-" + architecture);
        int width = type.isQuantized() ? type.blockElements() : 16;
        Options options = Options.tiny(architecture, 1)
                .withShape(1, width, width, 2, 1, 8)
                .withLimits(384, 64)
                .withWeightType(type);
        GeneratedModel.write(file, options);
        GgufHeader header = GgufHeader.read(MappedFile.open(file));
        byte[] bytes = Files.readAllBytes(file);
        int tableBytes = 0;
        for (GgufTensor tensor : header.tensors().values()) {
            tableBytes += 8 + tensor.name().length() + 4 + 8 * tensor.shape().length + 4 + 8;
        }
        int dataStart = (int) header.dataStart();
        return new Base(bytes, dataStart - tableBytes - 31, dataStart);
    }

    private static byte[] damage(Base base, SplittableRandom random) {
        byte[] bytes = base.bytes().clone();
        int times = 1 + random.nextInt(3);
        for (int i = 0; i < times && bytes.length > 64; i++) {
            int at = Math.min(place(base, random), bytes.length - 9);
            switch (random.nextInt(7)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt();
                case 2 -> little(bytes).putInt(at, (int) NUMBERS[random.nextInt(NUMBERS.length)]);
                case 3 -> little(bytes).putLong(at, NUMBERS[random.nextInt(NUMBERS.length)]);
                case 4 -> bytes = truncated(base, bytes, random);
                case 5 -> bytes = without(bytes, at, 1 + random.nextInt(8));
                default -> System.arraycopy(bytes, random.nextInt(bytes.length - 8), bytes, at, 8);
            }
        }
        return bytes;
    }

    /** Mostly where the structure is: the first keys and the tensor table; else the vocabulary or the data. */
    private static int place(Base base, SplittableRandom random) {
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> random.nextInt(1200);
            case 3, 4 -> base.metadataEnd() + random.nextInt(base.dataStart() - base.metadataEnd());
            case 5 -> random.nextInt(base.dataStart());
            default -> random.nextInt(base.bytes().length);
        };
    }

    private static byte[] truncated(Base base, byte[] bytes, SplittableRandom random) {
        int length = random.nextInt(random.nextBoolean() ? base.dataStart() : base.bytes().length);
        return Arrays.copyOf(bytes, Math.min(length, bytes.length));
    }

    private static byte[] without(byte[] bytes, int at, int count) {
        byte[] shorter = new byte[bytes.length - count];
        System.arraycopy(bytes, 0, shorter, 0, at);
        System.arraycopy(bytes, at + count, shorter, at, shorter.length - at);
        return shorter;
    }

    private static ByteBuffer little(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
