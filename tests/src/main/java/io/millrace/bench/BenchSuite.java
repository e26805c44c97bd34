package io.millrace.bench;

/** Benchmarks that belong together, run by {@code ./millrace bench NAME}. */
public interface BenchSuite {
    /** What the command line calls it. */
    String name();

    /** What it measures, in a line. */
    String description();

    /**
     * Measures, saying so as it goes.
     *
     * @throws Exception whatever keeps it from measuring; what it started is stopped all the same
     */
    BenchReport run(BenchSettings settings, Progress progress) throws Exception;
}
