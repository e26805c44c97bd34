package io.millrace.bench.durability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkFolderTest {
    @TempDir
    private Path common;

    @Test
    void isGoneWhenItIsClosed() throws IOException {
        try (WorkFolder work = WorkFolder.make(common)) {
            Files.writeString(work.folder("a").resolve("file"), "content");
        }

        assertThat(common).isEmptyDirectory();
    }

    @Test
    void deletesWhatAProcessThatIsNoMoreLeft() throws IOException {
        // No process has so high a number.
        Path left = Files.createDirectories(common.resolve(Long.toString(Long.MAX_VALUE)));
        Files.writeString(left.resolve("file"), "content");
        Path other = Files.createDirectories(common.resolve("someone-elses"));

        try (WorkFolder work = WorkFolder.make(common)) {
            assertThat(left).doesNotExist();
            assertThat(other).exists();
            assertThat(work.folder("a")).isDirectory();
        }
    }

    @Test
    void refusesWhatTheDiskHasNoRoomFor() throws IOException {
        try (WorkFolder work = WorkFolder.make(common)) {
            work.requireSpace("a little", 1);
            assertThatThrownBy(() -> work.requireSpace("a state of 8 EiB", Long.MAX_VALUE))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("a state of 8 EiB needs")
                    .hasMessageContaining("free some");
        }
    }

    @Test
    void aFileWithTwoNamesCountsOnce() throws IOException {
        try (WorkFolder work = WorkFolder.make(common)) {
            Path folder = work.folder("a");
            Path file = Files.write(folder.resolve("file"), new byte[1000]);
            Files.createLink(folder.resolve("same"), file);
            Files.write(work.folder("a/below").resolve("other"), new byte[24]);

            assertThat(WorkFolder.bytesBelow(folder)).isEqualTo(1024);
        }
    }
}
