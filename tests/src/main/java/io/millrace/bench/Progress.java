package io.millrace.bench;

import static java.util.Objects.requireNonNull;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;

/** Says what is being done, with the time since the start. */
public final class Progress {
    private final PrintStream out;
    private final LongSupplier nanoClock;
    private final long beginNanos;

    /** Progress to a stream, from now on. */
    public Progress(PrintStream out, LongSupplier nanoClock) {
        this.out = requireNonNull(out, "out");
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
        this.beginNanos = nanoClock.getAsLong();
    }

    /** Prints a line. */
    public synchronized void say(String line) {
        out.printf(Locale.ROOT, "[%6.1f s] %s%n", elapsedSeconds(), line);
        out.flush();
    }

    /** Seconds since the start. */
    public double elapsedSeconds() {
        return (nanoClock.getAsLong() - beginNanos) / 1e9;
    }
}
