package io.millrace.bench;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.List;

/**
 * How a suite is to be run.
 *
 * @param model the GGUF file to measure with
 * @param threads compute threads, of Millrace and of those it is compared with
 * @param quick take at most three minutes: fewer and shorter runs
 * @param only the suite's parts to run; empty is all
 * @param root the repository, where scripts lie
 * @param cache Millrace's cache, where tools are installed
 */
public record BenchSettings(Path model, int threads, boolean quick, List<String> only, Path root, Path cache) {
    public BenchSettings {
        requireNonNull(model, "model");
        only = List.copyOf(only);
        requireNonNull(root, "root");
        requireNonNull(cache, "cache");
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1: " + threads);
        }
    }

    /** Whether a part of the suite is to be run. */
    public boolean wants(String part) {
        return only.isEmpty() || only.contains(part);
    }
}
