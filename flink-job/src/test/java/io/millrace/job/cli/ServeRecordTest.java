package io.millrace.job.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a serve leaves on a machine: its record, and the checkpoints of those before it. */
class ServeRecordTest {
    private static final URI WEB = URI.create("http://127.0.0.1:18081");
    private static final URI GATEWAY = URI.create("http://127.0.0.1:18080");

    @TempDir
    private Path folder;

    private MillraceHome home = new MillraceHome(Path.of("/"));

    @BeforeEach
    void home() {
        home = MillraceHome.of(Map.of("MILLRACE_HOME", folder.toString()));
    }

    @Test
    void homeIsTheUsersCacheWithoutAName() {
        assertThat(MillraceHome.of(Map.of()).folder()).endsWith(Path.of(".cache", "millrace"));
        assertThat(home.savepoints()).isEqualTo(folder.resolve("savepoints"));
    }

    @Test
    void recordIsFoundUntilItIsDeleted() throws Exception {
        ServeRecord record = ServeRecord.ofThisProcess(WEB, GATEWAY, "file:/checkpoints/1");
        assertThat(ServeRecord.all(home)).isEmpty();

        record.write(home);
        assertThat(ServeRecord.all(home)).containsExactly(record);
        assertThat(record.isAlive()).isTrue();
        assertThat(new ClusterOptions().url(home)).isEqualTo(WEB);

        record.delete(home);
        assertThat(ServeRecord.all(home)).isEmpty();
        assertThat(new ClusterOptions().url(home)).isEqualTo(URI.create("http://localhost:8081"));
    }

    @Test
    void recordOfAProcessThatIsGoneIsStale() throws Exception {
        ServeRecord self = ServeRecord.ofThisProcess(WEB, GATEWAY, "");
        // The same process id, used by another process before.
        ServeRecord before = new ServeRecord(self.pid(), self.startedMs() - 60_000, WEB, GATEWAY, "");
        assertThat(before.isAlive()).isFalse();
        before.write(home);

        assertThat(new ClusterOptions().url(home)).isEqualTo(URI.create("http://localhost:8081"));
    }

    @Test
    void moreThanOneServeNeedsAName() throws Exception {
        ServeRecord self = ServeRecord.ofThisProcess(WEB, GATEWAY, "");
        self.write(home);
        // A second one in this process, as far as the file tells.
        String record = Files.readString(home.run().resolve("serve-" + self.pid() + ".json"));
        Files.writeString(
                home.run().resolve("serve-other.json"),
                record.replace(WEB.toString(), URI.create("http://127.0.0.1:1").toString()));

        assertThatThrownBy(() -> new ClusterOptions().url(home))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("--url");
    }

    @Test
    void damagedRecordIsNone() throws Exception {
        Files.createDirectories(home.run());
        Files.writeString(home.run().resolve("serve-1.json"), "{");
        Files.writeString(home.run().resolve("serve-2.json"), "{\"web_url\": \"not an address\"}");

        assertThat(ServeRecord.all(home)).isEmpty();
    }

    @Test
    void oldestCheckpointsGoButThoseInUse() throws Exception {
        List<Path> jobs = List.of(job('1'), job('2'), job('3'), job('4'), job('5'), job('6'));
        Path other = Files.createDirectories(home.checkpoints().resolve("not-a-job"));
        ServeRecord.ofThisProcess(WEB, GATEWAY, jobs.get(0).toUri().toString()).write(home);

        RetainedCheckpoints.prune(home);

        assertThat(jobs.get(0)).as("in use").exists();
        assertThat(jobs.get(1)).as("the oldest").doesNotExist();
        assertThat(jobs.subList(2, 6)).allMatch(Files::exists);
        assertThat(other).exists();
        assertThat(RetainedCheckpoints.hasAny(jobs.get(2).toString())).isTrue();
        assertThat(RetainedCheckpoints.hasAny(jobs.get(1).toString())).isFalse();
        assertThat(RetainedCheckpoints.hasAny("")).isFalse();
    }

    private Path job(char digit) throws Exception {
        Path job = home.checkpoints().resolve(String.valueOf(digit).repeat(32));
        Files.createDirectories(job.resolve("chk-1"));
        Files.writeString(job.resolve("chk-1/_metadata"), "");
        Files.setLastModifiedTime(job, FileTime.fromMillis((digit - '0') * 1000L));
        return job;
    }
}
