package io.millrace.engine.repository;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Backends;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.repository.ModelConfig;
import io.millrace.proto.repository.ModelInstanceGroup;
import io.millrace.proto.repository.ModelParameter;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * A model of a repository: its configuration, and the version that is served.
 *
 * @param name the model's name
 * @param config what its {@code config.pbtxt} says
 * @param configFile where it says it
 * @param version the version that is served
 * @param modelFile the version's model file; it exists
 */
public record RepositoryModel(String name, ModelConfig config, Path configFile, long version, Path modelFile) {
    public RepositoryModel {
        requireNonNull(name, "name");
        requireNonNull(config, "config");
        requireNonNull(configFile, "configFile");
        requireNonNull(modelFile, "modelFile");
    }

    /** The backend's name, or {@link Backends#AUTO}. */
    public String backend() {
        return config.getBackend();
    }

    /**
     * Settings of the backend's own: parameters whose names begin with the backend's, without that. Where the backend
     * is {@link Backends#AUTO} those of every backend, with its name.
     */
    public Map<String, String> backendParameters() {
        boolean auto = backend().equals(Backends.AUTO);
        String prefix = auto ? "" : backend() + ".";
        Map<String, String> parameters = new TreeMap<>();
        config.getParametersMap().forEach((name, value) -> {
            if (auto ? !ModelParameters.NAMES.contains(name) : name.startsWith(prefix)) {
                parameters.put(name.substring(prefix.length()), value.getStringValue());
            }
        });
        return parameters;
    }

    /**
     * Which device of the backend's kind the model is for: the first that an instance group names.
     *
     * @param otherwise the answer where none does
     */
    public int deviceIndex(int otherwise) {
        for (ModelInstanceGroup group : config.getInstanceGroupList()) {
            if (group.getGpusCount() > 0) {
                return group.getGpus(0);
            }
        }
        return otherwise;
    }

    /** Most sequences of one step, or the given number where the configuration leaves it open. */
    public int maxBatchSequences(int otherwise) {
        return config.getMaxBatchSize() > 0 ? config.getMaxBatchSize() : otherwise;
    }

    /**
     * A setting that is a positive whole number, or the given one where the configuration leaves it open.
     *
     * @param parameter one of {@link ModelParameters}
     * @throws ServingException {@code INVALID_REQUEST} naming the file, the parameter and its value
     */
    public int positiveInt(String parameter, int otherwise) {
        ModelParameter value = config.getParametersMap().get(parameter);
        if (value == null) {
            return otherwise;
        }
        String text = value.getStringValue().strip();
        int number = 0;
        try {
            number = Integer.parseInt(text);
        } catch (NumberFormatException e) {
            // Said below, with those that are not positive.
        }
        if (number <= 0) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    configFile + ": parameter " + parameter + " must be a positive whole number, not \"" + text + "\"",
                    parameter,
                    null);
        }
        return number;
    }
}
