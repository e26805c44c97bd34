package io.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GgufWriterTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"2, 32", "3, 32", "3, 8", "3, 4096"})
    void whatIsWrittenIsRead(int version, int alignment) throws IOException {
        GgufWriter writer = new GgufWriter(version, alignment)
                .putString("string", "grüße 🌊")
                .putInt("int", 7)
                .putLong("long", 1L << 40)
                .putFloat("float", 0.1f)
                .putBool("yes", true)
                .putBool("no", false)
                .putStringArray("strings", List.of("", "a", "né"))
                .putStringArray("empty", List.of())
                .putIntArray("ints", new int[] {1, -2, 3})
                .putFloatArray("floats", new float[] {1.5f, -0f})
                .addTensor("t", TensorType.F32, new long[] {3, 2}, (row, to) -> {
                    to[0] = row;
                    to[2] = -1.5f;
                })
                .addTensor("u", TensorType.Q8_0, new long[] {32}, (row, to) -> to[5] = 127f);
        GgufHeader header = read(writer);
        GgufMetadata metadata = header.metadata();
        assertThat(metadata.getString("string")).isEqualTo("grüße 🌊");
        assertThat(metadata.getInt("int")).isEqualTo(7);
        assertThat(metadata.getLong("long")).isEqualTo(1L << 40);
        assertThat(metadata.getFloat("float")).isEqualTo(0.1f);
        assertThat(metadata.getBool("yes")).isTrue();
        assertThat(metadata.getBool("no")).isFalse();
        assertThat(metadata.getStringArray("strings")).containsExactly("", "a", "né");
        assertThat(metadata.getStringArray("empty")).isEmpty();
        assertThat(metadata.getIntArray("ints")).containsExactly(1, -2, 3);
        assertThat(metadata.getFloatArray("floats")).containsExactly(1.5f, -0f);
        assertThat(metadata.count("strings")).isEqualTo(3);

        GgufTensor tensor = header.tensors().get("t");
        assertThat(tensor.fileOffset() % alignment).isZero();
        assertThat(tensor.shape()).containsExactly(3, 2);
        assertThat(tensor.rowLength()).isEqualTo(3);
        assertThat(tensor.rowCount()).isEqualTo(2);
        float[] row = new float[3];
        Dequantizer.dequantizeRow(tensor, 1, row, 0);
        assertThat(row).containsExactly(1f, 0f, -1.5f);
        float[] quantised = new float[32];
        Dequantizer.dequantizeRow(header.tensors().get("u"), 0, quantised, 0);
        assertThat(quantised[5]).isEqualTo(127f);
        assertThat(quantised[6]).isZero();
    }

    @Test
    void tensorBytesAreReadOnlyAndBounded() throws IOException {
        GgufHeader header =
                read(new GgufWriter().addTensor("t", TensorType.F16, new long[] {4, 8}, (row, to) -> to[0] = row));
        GgufTensor tensor = header.tensors().get("t");
        ByteBuffer data = tensor.data();
        assertThat(data.isReadOnly()).isTrue();
        assertThat(data.remaining()).isEqualTo(64);
        assertThat(tensor.byteCount()).isEqualTo(64);
        assertThat(tensor.rows(3, 2).getShort(0)).isEqualTo(Float16.floatToHalf(3f));
        assertThatThrownBy(() -> tensor.rows(7, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> tensor.rows(-1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> tensor.rows(1, Long.MAX_VALUE)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void gettersNameTheKeyThatIsMissingOrOfAnotherType() throws IOException {
        GgufMetadata metadata =
                read(new GgufWriter().putInt("int", -1).putString("text", "x")).metadata();
        assertThatThrownBy(() -> metadata.getString("absent"))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("file.gguf")
                .hasMessageContaining("'absent' is missing (expected a string)");
        assertThatThrownBy(() -> metadata.getString("int"))
                .hasMessageContaining("at byte ")
                .hasMessageContaining("'int': expected a string, found UINT32");
        assertThatThrownBy(() -> metadata.getInt("int")).hasMessageContaining("32-bit integer, found 4294967295");
        assertThatThrownBy(() -> metadata.getIntArray("text"))
                .hasMessageContaining("expected an array of integers, found STRING");
        assertThatThrownBy(() -> metadata.getFloat("int")).hasMessageContaining("expected a float");
        assertThatThrownBy(() -> metadata.getBool("int")).hasMessageContaining("expected a bool");
        assertThat(metadata.getInt("absent", 5)).isEqualTo(5);
        assertThat(metadata.getString("absent", "d")).isEqualTo("d");
        assertThat(metadata.findString("absent")).isNull();
        assertThat(metadata.getFloat("absent", 2f)).isEqualTo(2f);
        assertThat(metadata.getBool("absent", true)).isTrue();
        assertThat(metadata.getStringArray("absent", new String[0])).isEmpty();
        assertThat(metadata.contains("absent")).isFalse();
    }

    @Test
    void refusesMistakesOfItsCaller() {
        GgufWriter writer =
                new GgufWriter().putInt("k", 1).addTensor("t", TensorType.F32, new long[] {1}, (r, f) -> {});
        assertThatThrownBy(() -> writer.putBool("k", true)).hasMessageContaining("added twice: k");
        assertThatThrownBy(() -> writer.addTensor("t", TensorType.F32, new long[] {1}, (r, f) -> {}))
                .hasMessageContaining("added twice: t");
        assertThatThrownBy(() -> writer.addTensor("q", TensorType.Q4_0, new long[] {33}, (r, f) -> {}))
                .hasMessageContaining("multiple of 32");
        assertThatThrownBy(() -> new GgufWriter(1, 32)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new GgufWriter(3, 33)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void leavesNothingBehindWhenAWriteFails() throws IOException {
        Path file = folder.resolve("file.gguf");
        GgufWriter writer = new GgufWriter().addTensor("t", TensorType.F32, new long[] {1, 9}, (row, to) -> {
            throw new IllegalStateException("no row " + row);
        });
        assertThatThrownBy(() -> writer.write(file)).hasMessageContaining("no row 0");
        assertThat(folder).isEmptyDirectory();
    }

    private GgufHeader read(GgufWriter writer) throws IOException {
        Path file = folder.resolve("file.gguf");
        writer.write(file);
        return GgufHeader.read(MappedFile.open(file));
    }
}
