package io.millrace.job.cli;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.Map;

/**
 * The folder of what Millrace keeps on a machine: models, what runs, checkpoints and savepoints of the embedded job.
 *
 * @param folder absolute
 */
record MillraceHome(Path folder) {
    MillraceHome {
        requireNonNull(folder, "folder");
    }

    /** The folder that {@code MILLRACE_HOME} names; {@code ~/.cache/millrace} without it. */
    static MillraceHome of(Map<String, String> environment) {
        String home = environment.getOrDefault("MILLRACE_HOME", "");
        Path base = home.isBlank() ? Path.of(System.getProperty("user.home"), ".cache", "millrace") : Path.of(home);
        return new MillraceHome(base.toAbsolutePath().normalize());
    }

    /** Where the cluster of this machine is, unless someone says. */
    Path cluster() {
        return folder.resolve("cluster");
    }

    /** Where each {@code serve} says that it runs. */
    Path run() {
        return folder.resolve("run");
    }

    /** Where the embedded job's checkpoints go unless its configuration says. */
    Path checkpoints() {
        return folder.resolve("checkpoints");
    }

    /** Where the embedded job's savepoints go unless someone says. */
    Path savepoints() {
        return folder.resolve("savepoints");
    }
}
