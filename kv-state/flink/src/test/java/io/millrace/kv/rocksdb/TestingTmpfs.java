package io.millrace.kv.rocksdb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** A volume of a few megabytes, where the system lets a test have one. */
final class TestingTmpfs implements AutoCloseable {
    private final Path directory;

    private TestingTmpfs(Path directory) {
        this.directory = directory;
    }

    /** Mounts a volume; skips the test and says why where that is not allowed. */
    static TestingTmpfs mount(Path directory, int megabytes) throws Exception {
        Files.createDirectories(directory);
        String problem =
                run("mount", "-t", "tmpfs", "-o", "size=" + megabytes + "m", "millrace-test", directory.toString());
        if (problem != null) {
            System.out.println("SKIPPED: no small volume can be mounted here: " + problem);
            Assumptions.abort(problem);
        }
        return new TestingTmpfs(directory);
    }

    Path path() {
        return directory;
    }

    @Override
    public void close() throws Exception {
        String problem = run("umount", directory.toString());
        if (problem != null) {
            throw new IllegalStateException(problem);
        }
    }

    private static String run(String... command) throws Exception {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes()).trim();
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return String.join(" ", command) + " does not end";
            }
            return process.exitValue() == 0 ? null : output;
        } catch (IOException e) {
            return e.getMessage();
        }
    }
}
