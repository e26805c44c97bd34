package io.millrace.job.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SavepointPathTest {
    @TempDir
    private Path folder;

    @Test
    void savepointIsFoundByItsFolderAndByItsFile() throws Exception {
        Path savepoint = savepoint("savepoint-1", 1000);

        assertThat(find(savepoint)).isEqualTo(savepoint);
        assertThat(find(savepoint.resolve("_metadata"))).isEqualTo(savepoint);
        assertThat(SavepointPath.find(savepoint.toUri().toString())).contains("savepoint-1");
    }

    @Test
    void newestIsFoundInAFolderOfThem() throws Exception {
        savepoint("savepoint-1", 3000);
        Path newest = savepoint("savepoint-0", 5000);
        savepoint("savepoint-2", 4000);

        assertThat(find(folder)).isEqualTo(newest);
    }

    @Test
    void newestCompletedCheckpointOfTheNewestJobIsFound() throws Exception {
        savepoint("a/chk-9", 2000);
        Path newest = savepoint("b/chk-10", 4000);
        savepoint("b/chk-8", 3000);
        Files.createDirectories(folder.resolve("b/chk-11"));
        Files.createDirectories(folder.resolve("b/shared"));

        assertThat(find(folder)).isEqualTo(newest);
        assertThat(find(folder.resolve("b"))).isEqualTo(newest);
    }

    @Test
    void saysWhatIsNotThere() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "text");

        assertThatThrownBy(() -> find(folder.resolve("none")))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("none is not there");
        assertThatThrownBy(() -> find(folder)).hasMessageContaining("holds no savepoint");
        assertThatThrownBy(() -> find(file)).hasMessageContaining("is no folder");
        assertThatThrownBy(() -> SavepointPath.find("  ")).hasMessageContaining("empty");
        assertThatThrownBy(() -> SavepointPath.find("nowhere://x/y")).isInstanceOf(ServingException.class);
    }

    @Test
    void pathsOfThisMachineArePaths() {
        assertThat(SavepointPath.absolute("/a b/../c")).isEqualTo("file:///c");
        assertThat(SavepointPath.absolute("s3://bucket/x")).isEqualTo("s3://bucket/x");
        assertThat(SavepointPath.display("file:/a/b")).isEqualTo("/a/b");
        assertThat(SavepointPath.display("file:///a%20b")).isEqualTo("/a b");
        assertThat(SavepointPath.display("s3://bucket/x")).isEqualTo("s3://bucket/x");
    }

    private Path find(Path path) {
        return Path.of(SavepointPath.display(SavepointPath.find(path.toString())));
    }

    private Path savepoint(String name, long modifiedMs) throws IOException {
        Path savepoint = Files.createDirectories(folder.resolve(name));
        Path metadata = Files.writeString(savepoint.resolve("_metadata"), "");
        Files.setLastModifiedTime(metadata, FileTime.fromMillis(modifiedMs));
        return savepoint;
    }
}
