package io.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MappedFileTest {
    @TempDir
    Path folder;

    @Test
    void slicesCrossWindows() throws IOException {
        byte[] bytes = new byte[10_000];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 31 + (i >> 8));
        }
        Path file = Files.write(folder.resolve("f"), bytes);
        MappedFile mapped = MappedFile.open(file, 1000);
        for (int offset = 0; offset <= bytes.length; offset += 7) {
            int length = Math.min(1000, bytes.length - offset);
            ByteBuffer expected = ByteBuffer.wrap(bytes, offset, length);
            assertThat(mapped.slice(offset, length)).isEqualTo(expected);
        }
        assertThatThrownBy(() -> mapped.slice(0, 1001)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> mapped.slice(9_999, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> mapped.slice(-1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void readsBehindFourGibibytes() throws IOException {
        Path file = folder.resolve("sparse");
        long marked = (4L << 30) + 12_345;
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.setLength(marked + 100);
            out.seek(marked);
            out.write(new byte[] {1, 2, 3, 4});
        }
        MappedFile mapped = MappedFile.open(file);
        ByteBuffer slice = mapped.slice(marked, 100);
        assertThat(slice.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
        assertThat(slice.getInt(0)).isEqualTo(0x0403_0201);
        assertThat(mapped.slice(marked - 5000, 5004).getInt(5000)).isEqualTo(0x0403_0201);
        assertThat(mapped.sliceBytesMax()).isGreaterThanOrEqualTo((1L << 30) - 1);
    }
}
