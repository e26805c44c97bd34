package io.millrace.bench.cluster;

import io.millrace.job.graph.JobConfiguration;
import io.millrace.job.graph.MillraceOptions;
import io.millrace.model.GeneratedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;

/**
 * The suite's model: simulated, with the vocabulary of a generated one of 512 tokens, so that neither a model's maths
 * nor its vocabulary is what is measured.
 */
final class SimModel {
    /** What clients call it. */
    static final String NAME = "sim";

    /** Parameters of {@code sim}: no time at all. */
    static final Map<String, String> NO_TIME = Map.of("time_scale", "0");

    private static final int VOCAB_SIZE = 512;
    private static final int CONTEXT_TOKENS = 16_384;
    private static final int BLOCK_COUNT = 8192;
    private static final int MANAGED_MEBIBYTES = 256;

    private SimModel() {}

    /** Writes the model's file below a folder, if it is not there. */
    static Path file(Path folder) throws IOException {
        Path file = folder.resolve("sim-512.gguf");
        if (!Files.exists(file)) {
            Files.createDirectories(folder);
            GeneratedModel.write(file, GeneratedModel.Options.tiny("llama", 1).withLimits(VOCAB_SIZE, CONTEXT_TOKENS));
        }
        return file;
    }

    /** Millrace's options of it. */
    static Map<String, String> options(Path file, Map<String, String> parameters) {
        Map<String, String> options = new LinkedHashMap<>();
        options.put(MillraceOptions.MODEL_FILE.key(), file.toString());
        options.put(MillraceOptions.MODEL_NAME.key(), NAME);
        options.put(MillraceOptions.BACKEND.key(), "sim");
        StringBuilder map = new StringBuilder();
        parameters.forEach((name, value) ->
                map.append(map.isEmpty() ? "" : ",").append(name).append(':').append(value));
        options.put(MillraceOptions.BACKEND_PARAMETERS.key(), map.toString());
        options.put(MillraceOptions.BLOCK_COUNT.key(), Integer.toString(BLOCK_COUNT));
        return options;
    }

    /** A job's configuration for a cluster in this process: the embedded job's, with all files below a folder. */
    static Configuration configuration(Path folder, Map<String, String> parameters) throws IOException {
        Configuration configuration = JobConfiguration.loadLocal();
        configuration.setString("metrics.reporters", "");
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofSeconds(10));
        configuration.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                folder.resolve("checkpoints").toUri().toString());
        configuration.setString(
                "state.backend.rocksdb.localdir", folder.resolve("rocksdb").toString());
        configuration.setString("io.tmp.dirs", folder.resolve("tmp").toString());
        configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(MANAGED_MEBIBYTES));
        options(file(folder), parameters).forEach(configuration::setString);
        return configuration;
    }
}
