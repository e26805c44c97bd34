package io.millrace.bench.durability;

import io.millrace.bench.BenchSettings;
import io.millrace.job.graph.JobConfiguration;
import io.millrace.job.graph.MillraceOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;

/** Configurations of the suite's jobs: the embedded job's, with all files below one folder. */
final class JobSettings {
    /** Long enough that no checkpoint is taken but those that the suite asks for. */
    private static final Duration NEVER = Duration.ofDays(1);

    private JobSettings() {}

    /**
     * A job that takes checkpoints when it is told to.
     *
     * @param managedMebibytes managed memory, of RocksDB and of the HOST tier together
     */
    static Configuration embedded(WorkFolder work, String name, int managedMebibytes) throws IOException {
        Path folder = work.folder(name);
        Configuration configuration = JobConfiguration.loadLocal();
        configuration.setString("metrics.reporters", "");
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, NEVER);
        configuration.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, uri(folder.resolve("checkpoints")));
        configuration.setString(
                "state.backend.rocksdb.localdir", databases(folder).toString());
        configuration.setString("io.tmp.dirs", folder.resolve("tmp").toString());
        configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(managedMebibytes));
        return configuration;
    }

    /** The same, serving the model of the suite's settings. */
    static Configuration serving(BenchSettings settings, WorkFolder work, String name, int managedMebibytes)
            throws IOException {
        Configuration configuration = embedded(work, name, managedMebibytes);
        configuration.set(MillraceOptions.MODEL_FILE, settings.model().toString());
        configuration.set(MillraceOptions.BACKEND_THREADS, settings.threads());
        return configuration;
    }

    /** Where a job's RocksDB files lie. */
    static Path databases(Path folder) {
        return folder.resolve("rocksdb");
    }

    private static String uri(Path folder) {
        return folder.toUri().toString();
    }
}
