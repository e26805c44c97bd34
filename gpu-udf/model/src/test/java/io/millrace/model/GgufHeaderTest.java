package io.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufHeaderTest {
    private static final int F32 = 0;

    @TempDir
    Path folder;

    @Test
    void refusesWhatIsNotAFile() {
        assertThatThrownBy(() -> GgufModel.open(folder.resolve("absent.gguf")))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("absent.gguf")
                .hasMessageContaining("cannot be read");
        assertThatThrownBy(() -> GgufModel.open(folder))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("cannot be read");
    }

    @Test
    void refusesAnEmptyFileAndAnotherFormat() throws IOException {
        refused(new GgufBytes(), "at byte 0", "expected the magic 'GGUF'", "found only 0 bytes");
        refused(new GgufBytes().text("PK34").zeros(100), "at byte 0", "expected the magic 'GGUF'", "found 34334b50");
    }

    @Test
    void refusesOtherVersionsAndByteOrders() throws IOException {
        refused(new GgufBytes().text("GGUF").u32(1).zeros(64), "at byte 4", "version 2 or 3, found version 1");
        refused(new GgufBytes().text("GGUF").u32(4).zeros(64), "at byte 4", "found version 4");
        refused(new GgufBytes().text("GGUF").u32(0x0300_0000).zeros(64), "at byte 4", "found a big-endian one");
    }

    @Test
    void refusesAbsurdCounts() throws IOException {
        refused(GgufBytes.header(-1, 0).zeros(64), "at byte 8", "tensor count", "found 18446744073709551615");
        refused(GgufBytes.header(1L << 40, 0).zeros(64), "at byte 8", "tensor count: expected at most 2");
        refused(GgufBytes.header(0, Long.MAX_VALUE).zeros(64), "at byte 16", "metadata count: expected at most 4");
        refused(
                GgufBytes.header(0, 1)
                        .string("k")
                        .u32(GgufBytes.ARRAY)
                        .u32(GgufBytes.UINT32)
                        .u64(1L << 62),
                "at byte 41",
                "element count of 'k': expected at most 0");
        refused(
                GgufBytes.header(0, 1)
                        .string("k")
                        .u32(GgufBytes.STRING)
                        .u64(1L << 33)
                        .zeros(40),
                "at byte 37",
                "length of a string of 'k': expected at most 40",
                "found 8589934592");
        refused(GgufBytes.header(0, 1).u64(-5).zeros(40), "at byte 24", "length of a metadata key");
    }

    @Test
    void refusesUnknownValueTypesAndNestedArrays() throws IOException {
        refused(GgufBytes.header(0, 1).string("k").u32(13).zeros(40), "at byte 33", "'k'", "0 to 12, found 13");
        refused(
                GgufBytes.header(0, 1)
                        .string("k")
                        .u32(GgufBytes.ARRAY)
                        .u32(GgufBytes.ARRAY)
                        .zeros(40),
                "at byte 37",
                "'k'",
                "found one of arrays");
    }

    @Test
    void refusesDuplicates() throws IOException {
        refused(GgufBytes.header(0, 2).entry("k", 1).entry("k", 2), "at byte 41", "'k' occurs twice");
        refused(
                GgufBytes.header(2, 0)
                        .tensor("t", F32, 0, 4)
                        .tensor("t", F32, 32, 4)
                        .zeros(96),
                "at byte 57",
                "tensor 't' is in the table twice");
        refused(GgufBytes.header(0, 1).entry("", 1), "at byte 24", "found an empty one");
    }

    @Test
    void refusesBadAlignment() throws IOException {
        refused(GgufBytes.header(0, 1).entry("general.alignment", 24), "power of two", "found 24");
        refused(GgufBytes.header(0, 1).entry("general.alignment", 0), "power of two", "found 0");
        refused(GgufBytes.header(0, 1).entry("general.alignment", 1 << 30), "power of two up to 65536");
        refused(GgufBytes.header(0, 1).entry("general.alignment", -1), "expected a 32-bit integer");
        refused(GgufBytes.header(0, 1).entry("general.alignment", "x"), "expected an integer, found STRING");
    }

    @Test
    void refusesBadTensors() throws IOException {
        refused(tensor("t", F32, 0), "at byte 33", "expected 1 to 4 dimensions, found 0");
        refused(tensor("t", F32, 0, 1, 1, 1, 1, 1), "at byte 33", "expected 1 to 4 dimensions, found 5");
        refused(tensor("t", F32, 0, 0), "expected a positive dimension 0, found 0");
        refused(tensor("t", F32, 0, 4, -1), "positive dimension 1, found 18446744073709551615");
        refused(tensor("t", F32, 0, 1L << 32, 1L << 32), "found an overflow");
        refused(tensor("t", F32, 0, 1L << 31, 1L << 30), "found an overflow");
        refused(tensor("t", 2, 0, 33), "whole blocks of 32 for Q4_0, found rows of 33");
        refused(tensor("t", 10, 0, 256), "at byte 45", "tensor 't'", "found type id 10");
        refused(tensor("t", -1, 0, 256), "found type id 4294967295");
        refused(tensor("t", F32, 8, 4), "at byte 49", "multiple of 32, found 8");
        refused(tensor("t", F32, -32, 4), "multiple of 32, found 18446744073709551584");
        refused(tensor("t", F32, 1L << 62, 4), "expected its 16 bytes of data", "but the file ends at byte 264");
        refused(tensor("t", F32, 0, 1 << 20), "expected its 4194304 bytes of data from byte 64 + 0");
        refused(tensor("t".repeat(65), F32, 0, 4), "length of a tensor's name: expected at most 64", "found 65");
        refused(
                GgufBytes.header(2, 0)
                        .tensor("t", F32, 0, 16)
                        .tensor("u", F32, 32, 4)
                        .zeros(96),
                "tensor 'u'",
                "overlaps that of tensor 't'");
    }

    @Test
    void saysWhereAFileWasCutOff() throws IOException {
        Path file = folder.resolve("cut.gguf");
        GeneratedModel.write(file, GeneratedModel.Options.tiny("llama", 1));
        int dataStart = (int) GgufHeader.read(MappedFile.open(file)).dataStart();
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            for (long length = channel.size() - 1; length >= 0; length -= length > dataStart ? 2003 : 11) {
                channel.truncate(length);
                String message = messageOfRefusal(file);
                assertThat(message).as("cut to %d bytes", length).contains("cut.gguf", "at byte ", "expected");
            }
        }
    }

    private static String messageOfRefusal(Path file) {
        try (GgufModel model = GgufModel.open(file)) {
            return "opened: " + model.spec();
        } catch (ServingException e) {
            return String.valueOf(e.getMessage());
        }
    }

    @Test
    void namesFromTheFileCannotFloodOrForgeAMessage() throws IOException {
        String name = "k\n\u001b[2J" + "x".repeat(60_000);
        assertThatThrownBy(
                        () -> open(GgufBytes.header(0, 1).string(name).u32(99).zeros(64)))
                .satisfies(e -> assertThat(e.getMessage().length()).isLessThan(600))
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n", "\u001b"));
    }

    private static GgufBytes tensor(String name, int typeId, long offset, long... shape) {
        return GgufBytes.header(1, 0).tensor(name, typeId, offset, shape).zeros(200 + 7);
    }

    private void refused(GgufBytes bytes, String... parts) {
        assertThatThrownBy(() -> open(bytes))
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_FILE_INVALID))
                .hasMessageContaining("bad.gguf")
                .satisfies(e -> assertThat(e.getMessage()).contains(parts));
    }

    private void open(GgufBytes bytes) throws IOException {
        Path file = folder.resolve("bad.gguf");
        Files.write(file, bytes.bytes());
        GgufModel.open(file).close();
    }
}
