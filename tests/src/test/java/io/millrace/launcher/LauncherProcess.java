package io.millrace.launcher;

import io.millrace.tidy.SourceTree;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** {@code ./millrace} as a process of its own, with what it has printed. */
public final class LauncherProcess implements AutoCloseable {
    private static final long STOP_SECONDS = 30;

    private final Process process;
    private final List<String> lines = new ArrayList<>();
    private final Thread reader;

    private LauncherProcess(Process process) {
        this.process = process;
        this.reader = new Thread(this::read, "launcher-output");
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts a command of the launcher, which takes what the build has made. */
    static LauncherProcess start(String... arguments) throws IOException {
        return start(Map.of(), arguments);
    }

    /** Starts a command where no model can be had: the cache is empty, and python3 has no pip. */
    static LauncherProcess startWithoutModels(Path emptyFolder, String... arguments) throws IOException {
        Path python = Files.createDirectories(emptyFolder.resolve("bin")).resolve("python3");
        Files.writeString(python, "#!/bin/sh\necho 'python3: No module named pip'\nexit 1\n");
        python.toFile().setExecutable(true);
        return start(
                Map.of(
                        "MILLRACE_HOME",
                        emptyFolder.toString(),
                        "PATH",
                        python.getParent() + File.pathSeparator + System.getenv("PATH")),
                arguments);
    }

    /** Starts a command with variables of its own in its environment. */
    public static LauncherProcess start(Map<String, String> environment, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("./millrace"));
        command.addAll(Arrays.asList(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(SourceTree.root().toFile())
                .redirectErrorStream(true);
        builder.environment().put("MILLRACE_SKIP_BUILD", "1");
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        return new LauncherProcess(builder.start());
    }

    /** Waits for the end and returns the exit code; fails with what was printed if it takes longer. */
    public int exitCode(long seconds) throws InterruptedException {
        if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
            throw new AssertionError("it did not end within " + seconds + " s:\n" + output());
        }
        reader.join(TimeUnit.SECONDS.toMillis(STOP_SECONDS));
        return process.exitValue();
    }

    /** Waits for a line, which may have been printed already. */
    String awaitLine(Predicate<String> wanted, long seconds) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        synchronized (lines) {
            while (true) {
                for (String line : lines) {
                    if (wanted.test(line)) {
                        return line;
                    }
                }
                long leftMs = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (leftMs <= 0 || !process.isAlive()) {
                    throw new AssertionError("the line did not come:\n" + String.join("\n", lines));
                }
                lines.wait(Math.min(leftMs, 500));
            }
        }
    }

    /** Sends a signal, such as {@code TERM}. {@link Process#destroy} would close the output too. */
    void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                .start()
                .waitFor();
    }

    /** Kills it, as a machine that loses its power would. */
    void kill() throws InterruptedException {
        // The launcher has become the JVM: there is no other process.
        process.destroyForcibly();
        process.waitFor(STOP_SECONDS, TimeUnit.SECONDS);
    }

    /** All that was printed. */
    public String output() {
        synchronized (lines) {
            return String.join("\n", lines);
        }
    }

    private void read() {
        try (BufferedReader output = process.inputReader()) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                synchronized (lines) {
                    lines.add(line);
                    lines.notifyAll();
                }
            }
        } catch (IOException e) {
            // The process is gone; what it printed before is there.
        }
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
