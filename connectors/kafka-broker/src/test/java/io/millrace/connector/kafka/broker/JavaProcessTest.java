package io.millrace.connector.kafka.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** Finding processes that others have started. */
class JavaProcessTest {
    private static final Path LOG = Path.of("no.log");

    @Test
    void whatHasEndedIsNotFoundThoughNobodyAskedForItsExitCode() throws Exception {
        assumeTrue(Files.exists(Path.of("/proc/self/stat")), "there is no /proc on this system");
        // The shell starts a child and becomes a program that never asks for it.
        Process parent = new ProcessBuilder("sh", "-c", "sleep 60 & echo $!; exec sleep 60").start();
        try (BufferedReader out = parent.inputReader(StandardCharsets.US_ASCII)) {
            long pid = Long.parseLong(out.readLine());
            ProcessHandle child = ProcessHandle.of(pid).orElseThrow();
            Instant startTime = child.info().startInstant().orElseThrow();
            assertThat(JavaProcess.find("child", pid, startTime, LOG)).isPresent();
            child.destroyForcibly();
            while (!Files.readString(Path.of("/proc", Long.toString(pid), "stat"))
                    .contains(") Z ")) {
                Thread.onSpinWait();
            }
            assertThat(child.isAlive()).as("Java takes it for alive").isTrue();
            assertThat(JavaProcess.find("child", pid, startTime, LOG)).isEmpty();
        } finally {
            parent.destroyForcibly();
        }
    }
}
