package io.millrace.connector.kafka.broker;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A Java program that runs as a process of its own. It outlives this JVM: another one finds it again by its id and the
 * time of its start ({@link #find}).
 */
public final class JavaProcess implements AutoCloseable {
    /** How long {@link #close} waits for an orderly end. */
    public static final Duration STOP_LIMIT = Duration.ofSeconds(20);

    private static final long POLL_MS = 50;

    private final String name;
    private final ProcessHandle handle;
    private final Path logFile;
    /** Where this process's lines begin in its log file. */
    private final long logOffset;

    /** Whether something that takes time is there yet. */
    @FunctionalInterface
    public interface Probe {
        /**
         * Looks once.
         *
         * @throws IOException if it could not look, which counts as "not yet"
         */
        boolean isReady() throws IOException;
    }

    private JavaProcess(String name, ProcessHandle handle, Path logFile, long logOffset) {
        this.name = requireNonNull(name, "name");
        this.handle = requireNonNull(handle, "handle");
        this.logFile = requireNonNull(logFile, "logFile");
        this.logOffset = logOffset;
    }

    /**
     * Starts a program; it is not ready yet.
     *
     * @param name what errors call it
     * @throws IOException if it cannot be started
     */
    public static JavaProcess start(String name, JavaCommand command) throws IOException {
        Files.createDirectories(command.folder());
        Files.createDirectories(command.logFile().toAbsolutePath().getParent());
        long logOffset = Files.exists(command.logFile()) ? Files.size(command.logFile()) : 0;
        ProcessBuilder builder = new ProcessBuilder(command.words())
                .directory(command.folder().toFile())
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(command.logFile().toFile()));
        builder.environment().putAll(command.environment());
        return new JavaProcess(name, builder.start().toHandle(), command.logFile(), logOffset);
    }

    /**
     * Finds a program that runs already, be it started by this JVM or another.
     *
     * @param startTime when it was started ({@link #startTime}): an id alone may have become another process's
     */
    public static Optional<JavaProcess> find(String name, long pid, Instant startTime, Path logFile) {
        return ProcessHandle.of(pid)
                .filter(JavaProcess::runs)
                .filter(handle ->
                        handle.info().startInstant().map(startTime::equals).orElse(false))
                .map(handle -> new JavaProcess(name, handle, logFile, 0));
    }

    /** Its id. */
    public long pid() {
        return handle.pid();
    }

    /** When it was started, as the operating system tells it; the epoch where it does not. */
    public Instant startTime() {
        return handle.info().startInstant().orElse(Instant.EPOCH);
    }

    /** Where its output goes. */
    public Path logFile() {
        return logFile;
    }

    /** Whether it runs. */
    public boolean isAlive() {
        return runs(handle);
    }

    /**
     * Whether a process runs. To Java one is alive that has ended and that nobody has asked for its exit code yet: on
     * Linux it has the state Z. Whoever started it may be gone, and then that may take as long as it likes.
     */
    private static boolean runs(ProcessHandle handle) {
        if (!handle.isAlive()) {
            return false;
        }
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(handle.pid()), "stat"));
            // The state follows the program's name, which is in parentheses and may have any character.
            return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
        } catch (IOException e) {
            // Not Linux, or gone since.
            return handle.isAlive();
        }
    }

    /**
     * Waits until it is ready.
     *
     * @throws JavaProcessException with the end of the log, if it ends before or is not ready in time
     */
    public void awaitReady(Probe probe, Duration limit) throws InterruptedException {
        long deadlineNanos = System.nanoTime() + limit.toNanos();
        String last = "";
        while (true) {
            boolean alive = isAlive();
            try {
                if (probe.isReady()) {
                    return;
                }
            } catch (IOException e) {
                last = " (" + e + ")";
            }
            if (!alive) {
                throw failure("ended before it was ready" + last);
            }
            if (System.nanoTime() > deadlineNanos) {
                throw failure("was not ready within " + limit.toSeconds() + " s" + last);
            }
            Thread.sleep(POLL_MS);
        }
    }

    /**
     * Waits until it has ended.
     *
     * @throws JavaProcessException with the end of the log, if it runs longer
     */
    public void awaitEnd(Duration limit) throws InterruptedException {
        if (!ends(limit)) {
            throw failure("did not end within " + limit.toSeconds() + " s");
        }
    }

    /** All that it has logged since it was started; of a process that was {@linkplain #find found}, the whole file. */
    public String log() {
        try {
            byte[] bytes = Files.exists(logFile) ? Files.readAllBytes(logFile) : new byte[0];
            int from = (int) Math.min(logOffset, bytes.length);
            return new String(bytes, from, bytes.length - from, java.nio.charset.StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The last lines that it has logged. */
    public String logTail() {
        return LogTail.of(log());
    }

    /** Asks it to end, and kills it if it has not after a while. */
    public void stop(Duration limit) throws InterruptedException {
        handle.destroy();
        if (!ends(limit)) {
            kill();
        }
    }

    /** Kills it at once, as a machine that loses its power would, and waits until it is gone. */
    public void kill() throws InterruptedException {
        handle.destroyForcibly();
        if (!ends(STOP_LIMIT)) {
            throw failure("could not be killed");
        }
    }

    @Override
    public void close() {
        try {
            stop(STOP_LIMIT);
        } catch (InterruptedException e) {
            handle.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private boolean ends(Duration limit) throws InterruptedException {
        try {
            handle.onExit().get(limit.toNanos(), TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private JavaProcessException failure(String what) {
        return new JavaProcessException(
                name + " (process " + pid() + ") " + what + "; the end of its log " + logFile + ":\n" + logTail());
    }

    @Override
    public String toString() {
        return name + " (process " + pid() + ")";
    }
}
