package io.millrace.job.graph;

import io.millrace.engine.backend.KvPoolSize;
import io.millrace.engine.repository.ModelParameters;
import io.millrace.engine.repository.ModelRepository;
import io.millrace.engine.repository.RepositoryModel;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.operators.model.ModelSettings;
import java.nio.file.Path;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;

/**
 * Finds the model that a configuration names, and how its engine runs. What the configuration says comes first, then
 * what the model's {@code config.pbtxt} says, if it is from a repository, then the options' defaults.
 */
final class ModelResolution {
    private ModelResolution() {}

    /** The name that clients call the model by. */
    static String modelName(Configuration configuration) {
        String name = configuration.get(MillraceOptions.MODEL_NAME);
        if (name != null) {
            return name;
        }
        String fileName = modelFile(configuration).getFileName().toString();
        int dot = fileName.lastIndexOf('.');
        return dot > 0 ? fileName.substring(0, dot) : fileName;
    }

    /**
     * The model's settings.
     *
     * @throws ServingException {@code INVALID_REQUEST} if no model is named, {@code MODEL_NOT_FOUND} if it is not there
     */
    static ModelSettings resolve(Configuration configuration) {
        RepositoryModel stored = repositoryModel(configuration);
        return new ModelSettings(
                modelName(configuration),
                modelFile(configuration).toAbsolutePath().toString(),
                stored == null || configuration.contains(MillraceOptions.BACKEND)
                        ? configuration.get(MillraceOptions.BACKEND)
                        : stored.backend(),
                stored == null
                                || configuration.contains(MillraceOptions.BACKEND)
                                || configuration.contains(MillraceOptions.BACKEND_PARAMETERS)
                        ? configuration.get(MillraceOptions.BACKEND_PARAMETERS)
                        : stored.backendParameters(),
                stored == null || configuration.contains(MillraceOptions.BACKEND_DEVICE)
                        ? configuration.get(MillraceOptions.BACKEND_DEVICE)
                        : stored.deviceIndex(configuration.get(MillraceOptions.BACKEND_DEVICE)),
                number(configuration, MillraceOptions.BACKEND_THREADS, stored, ModelParameters.THREAD_COUNT),
                number(configuration, MillraceOptions.BLOCK_SIZE_TOKENS, stored, ModelParameters.BLOCK_SIZE_TOKENS),
                poolSize(configuration, stored),
                number(configuration, MillraceOptions.MAX_BATCH_TOKENS, stored, ModelParameters.MAX_BATCH_TOKENS),
                configuration.get(MillraceOptions.PREFILL_BATCH_TOKENS),
                stored == null || configuration.contains(MillraceOptions.MAX_BATCH_SEQUENCES)
                        ? configuration.get(MillraceOptions.MAX_BATCH_SEQUENCES)
                        : stored.maxBatchSequences(configuration.get(MillraceOptions.MAX_BATCH_SEQUENCES)),
                number(configuration, MillraceOptions.QUEUE_CAPACITY, stored, ModelParameters.QUEUE_CAPACITY),
                number(configuration, MillraceOptions.MAX_MODEL_TOKENS, stored, ModelParameters.MAX_MODEL_TOKENS),
                configuration
                        .getOptional(MillraceOptions.SPECULATION_DRAFT_MODEL)
                        .map(file -> Path.of(file).toAbsolutePath().toString())
                        .orElse(""),
                configuration.get(MillraceOptions.SPECULATION_DRAFT_KV_MEMORY).getBytes(),
                configuration.get(MillraceOptions.ENGINE_LINGER));
    }

    private static KvPoolSize poolSize(Configuration configuration, @Nullable RepositoryModel stored) {
        double fraction = configuration.get(MillraceOptions.DEVICE_MEMORY_FRACTION);
        // NaN fails the comparison.
        if (!(fraction > 0 && fraction <= 1)) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    MillraceOptions.DEVICE_MEMORY_FRACTION.key() + " must be above 0 and at most 1: " + fraction);
        }
        return new KvPoolSize(
                number(configuration, MillraceOptions.BLOCK_COUNT, stored, ModelParameters.BLOCK_COUNT),
                configuration
                        .getOptional(MillraceOptions.KV_MEMORY)
                        .map(MemorySize::getBytes)
                        .orElse(0L),
                fraction,
                configuration.get(MillraceOptions.DEVICE_MEMORY_RESERVE).getBytes());
    }

    private static Path modelFile(Configuration configuration) {
        String file = configuration.get(MillraceOptions.MODEL_FILE);
        if (file != null) {
            return Path.of(file);
        }
        RepositoryModel stored = repositoryModel(configuration);
        if (stored == null) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    "no model is named: set " + MillraceOptions.MODEL_FILE.key() + ", or "
                            + MillraceOptions.MODEL_REPOSITORY.key() + " and " + MillraceOptions.MODEL_NAME.key());
        }
        return stored.modelFile();
    }

    private static @Nullable RepositoryModel repositoryModel(Configuration configuration) {
        String repository = configuration.get(MillraceOptions.MODEL_REPOSITORY);
        String name = configuration.get(MillraceOptions.MODEL_NAME);
        if (repository == null || name == null || configuration.contains(MillraceOptions.MODEL_FILE)) {
            return null;
        }
        return ModelRepository.open(Path.of(repository)).model(name);
    }

    private static int number(
            Configuration configuration,
            ConfigOption<Integer> option,
            @Nullable RepositoryModel stored,
            String parameter) {
        int value = configuration.get(option);
        return stored == null || configuration.contains(option) ? value : stored.positiveInt(parameter, value);
    }
}
