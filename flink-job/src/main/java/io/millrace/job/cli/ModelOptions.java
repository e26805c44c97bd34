package io.millrace.job.cli;

import io.millrace.job.graph.JobConfiguration;
import io.millrace.job.graph.MillraceJob;
import io.millrace.job.graph.MillraceOptions;
import io.millrace.model.GgufModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of every command that runs a job: the model and the configuration. */
final class ModelOptions {
    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init")
    private CommandSpec command;

    @Option(names = "--model", paramLabel = "FILE", description = "A GGUF file; by default the demo's model, fetched.")
    private @Nullable Path model;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "YAML of settings: instead of jobs-config/local.yaml, and for a cluster over"
                    + " jobs-config/session-cluster.yaml.")
    private @Nullable Path config;

    @Option(
            names = "-D",
            paramLabel = "KEY=VALUE",
            description =
                    "Sets an option of Flink or Millrace, over the configuration file; see docs/configuration.md.")
    private final Map<String, String> settings = new LinkedHashMap<>();

    /** The model that the command line names, if it names one; a file that is not there is an error of its own. */
    @Nullable
    Path model() {
        if (model != null && !Files.isRegularFile(model)) {
            throw new ParameterException(command.commandLine(), "there is no model file " + model);
        }
        return model;
    }

    /**
     * The configuration: the file's, then the command line's, then the model.
     *
     * @param checkpoints where checkpoints go if neither says
     * @throws io.millrace.kv.ServingException if the model file, or that of a draft model, is damaged: said here, it
     *     needs no cluster to fail
     */
    Configuration configuration(@Nullable Path modelFile, Path checkpoints) throws IOException {
        Configuration configuration = config == null ? JobConfiguration.readLocal() : JobConfiguration.load(config);
        settings.forEach(configuration::setString);
        if (!configuration.contains(CheckpointingOptions.CHECKPOINTS_DIRECTORY)) {
            configuration.set(
                    CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                    checkpoints.toUri().toString());
        }
        addModel(configuration, modelFile);
        if (configuration.contains(MillraceOptions.SPECULATION_DRAFT_MODEL)) {
            MillraceJob.servedModel(configuration).checkDraftModel();
        }
        return configuration;
    }

    /** Whether the configuration names a model itself. */
    boolean configuresModel() {
        Configuration configuration = given();
        return configuration.contains(MillraceOptions.MODEL_FILE)
                || configuration.contains(MillraceOptions.MODEL_REPOSITORY);
    }

    /** What the command line says, its file's settings first, without those that commands bring themselves. */
    Configuration given() {
        Configuration configuration = config == null ? new Configuration() : JobConfiguration.load(config);
        settings.forEach(configuration::setString);
        return configuration;
    }

    /** Names a model file in a configuration; null is none. */
    void addModel(Configuration configuration, @Nullable Path modelFile) throws IOException {
        if (modelFile != null) {
            GgufModel.open(modelFile).close();
        }
        if (modelFile != null && model == null && DemoRepository.describes(modelFile)) {
            DemoRepository repository = DemoRepository.layOut(modelFile);
            configuration.set(
                    MillraceOptions.MODEL_REPOSITORY, repository.folder().toString());
            configuration.set(MillraceOptions.MODEL_NAME, repository.modelName());
        } else if (modelFile != null) {
            configuration.set(
                    MillraceOptions.MODEL_FILE, modelFile.toAbsolutePath().toString());
        }
    }
}
