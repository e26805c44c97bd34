package io.millrace.durability;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** A disk of a few megabytes in memory. */
final class SmallVolume implements AutoCloseable {
    private final Path folder;

    private SmallVolume(Path folder) {
        this.folder = folder;
    }

    /** Mounts one; where that is not permitted the calling test is skipped with a printed reason. */
    static SmallVolume mount(Path folder, int mebibytes) throws Exception {
        Files.createDirectories(folder);
        String problem = run("mount", "-t", "tmpfs", "-o", "size=" + mebibytes + "m", "tmpfs", folder.toString());
        if (!problem.isEmpty()) {
            System.out.println("skipped: a small volume cannot be mounted: " + problem);
            Assumptions.abort(problem);
        }
        return new SmallVolume(folder);
    }

    Path folder() {
        return folder;
    }

    /** Fills it until about so many bytes are free. */
    void fillTo(int freeBytes) {
        try {
            long bytes = Files.getFileStore(folder).getUsableSpace() - freeBytes;
            Files.write(folder.resolve("filler"), new byte[Math.toIntExact(Math.max(0, bytes))]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws Exception {
        // Files of a job that has just ended may still be open.
        run("umount", "-l", folder.toString());
    }

    /** Runs a command; returns what it complained of. */
    private static String run(String... command) throws InterruptedException {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String output = new String(process.getInputStream().readAllBytes()).trim();
            process.waitFor(30, TimeUnit.SECONDS);
            return process.exitValue() == 0 ? "" : output + " (" + process.exitValue() + ")";
        } catch (IOException e) {
            return String.valueOf(e.getMessage());
        }
    }
}
