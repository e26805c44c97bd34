package io.millrace.engine.repository;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.TextFormat;
import io.millrace.engine.backend.Backends;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.repository.ModelConfig;
import io.millrace.proto.repository.ModelVersionPolicy;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A folder of models as Triton lays it out:
 *
 * <pre>
 *   repository/
 *     smollm2/
 *       config.pbtxt        what the model is and how it runs
 *       1/model.gguf        version 1
 *       2/model.gguf        version 2: the newest is served, unless version_policy says otherwise
 * </pre>
 */
public final class ModelRepository {
    /** The file that describes a model. */
    public static final String CONFIG_FILE = "config.pbtxt";
    /** A version's model file, where the configuration names no other. */
    public static final String DEFAULT_MODEL_FILE = "model.gguf";

    /** Larger files are no configurations. */
    private static final long CONFIG_BYTES_MAX = 1 << 20;

    private final Path folder;

    private ModelRepository(Path folder) {
        this.folder = folder;
    }

    /**
     * Opens a repository.
     *
     * @throws ServingException {@code INVALID_REQUEST} if it is no folder
     */
    public static ModelRepository open(Path folder) {
        if (!Files.isDirectory(requireNonNull(folder, "folder"))) {
            throw invalid(folder + " is no folder, so it is no model repository", null);
        }
        return new ModelRepository(folder);
    }

    /** The names of the models that have a configuration, in order. */
    public List<String> modelNames() {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> Files.isRegularFile(entry.resolve(CONFIG_FILE)))
                    .map(entry -> entry.getFileName().toString())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw invalid(folder + " cannot be listed: " + e, e);
        }
    }

    /**
     * Reads a model's configuration and finds the version to serve.
     *
     * @throws ServingException {@code MODEL_NOT_FOUND} if there is no such model, version or model file; {@code
     *     INVALID_REQUEST} if its configuration is wrong, naming the file, the line and the field
     */
    public RepositoryModel model(String name) {
        if (!modelNames().contains(name)) {
            throw notFound("there is no model " + name + " in " + folder + "; there are " + modelNames());
        }
        Path modelFolder = folder.resolve(name);
        Path configFile = modelFolder.resolve(CONFIG_FILE);
        ModelConfig config = parse(configFile);
        check(name, config, configFile);
        long version = chooseVersion(modelFolder, config, configFile);
        String fileName =
                config.getDefaultModelFilename().isEmpty() ? DEFAULT_MODEL_FILE : config.getDefaultModelFilename();
        Path modelFile = modelFolder.resolve(Long.toString(version)).resolve(fileName);
        if (!Files.isRegularFile(modelFile)) {
            throw notFound("version " + version + " of model " + name + " has no file " + modelFile);
        }
        return new RepositoryModel(name, config, configFile, version, modelFile);
    }

    private static ModelConfig parse(Path file) {
        String text;
        try {
            long bytes = Files.size(file);
            if (bytes > CONFIG_BYTES_MAX) {
                throw invalid(file + " has " + bytes + " bytes, and a configuration at most " + CONFIG_BYTES_MAX, null);
            }
            text = Files.readString(file, StandardCharsets.UTF_8);
        } catch (CharacterCodingException e) {
            throw invalid(file + " is not UTF-8 text", e);
        } catch (IOException e) {
            throw invalid(file + " cannot be read: " + e, e);
        }
        ModelConfig.Builder config = ModelConfig.newBuilder();
        try {
            TextFormat.Parser.newBuilder().build().merge(text, config);
        } catch (TextFormat.ParseException e) {
            // The message begins with line and column already, in the form of the file's own errors.
            throw invalid(file + ":" + e.getMessage(), e);
        }
        return config.build();
    }

    private static void check(String name, ModelConfig config, Path file) {
        if (!config.getName().isEmpty() && !config.getName().equals(name)) {
            throw invalid(file + ": name is \"" + config.getName() + "\", and its folder " + name, null);
        }
        if (config.getBackend().isEmpty()) {
            throw invalid(file + ": backend is missing", null);
        }
        if (config.getMaxBatchSize() < 0) {
            throw invalid(file + ": max_batch_size must not be negative: " + config.getMaxBatchSize(), null);
        }
        String fileName = config.getDefaultModelFilename();
        if (fileName.contains("/") || fileName.contains("\\") || fileName.equals("..")) {
            throw invalid(file + ": default_model_filename must be a file's name alone: " + fileName, null);
        }
        for (String parameter : config.getParametersMap().keySet()) {
            boolean backends = config.getBackend().equals(Backends.AUTO)
                    ? parameter.indexOf('.') > 0
                    : parameter.startsWith(config.getBackend() + ".");
            if (!ModelParameters.NAMES.contains(parameter) && !backends) {
                throw invalid(
                        file + ": there is no parameter " + parameter + "; there are " + ModelParameters.NAMES
                                + ", and the backend's own, which begin with " + config.getBackend() + ".",
                        null);
            }
        }
    }

    private static long chooseVersion(Path modelFolder, ModelConfig config, Path configFile) {
        TreeSet<Long> versions = versions(modelFolder);
        ModelVersionPolicy policy = config.getVersionPolicy();
        if (policy.getPolicyChoiceCase() == ModelVersionPolicy.PolicyChoiceCase.SPECIFIC) {
            versions.retainAll(policy.getSpecific().getVersionsList());
        }
        if (versions.isEmpty()) {
            throw notFound(modelFolder + " has no version folder, such as 1, that version_policy in " + configFile
                    + " allows; it has " + versions(modelFolder));
        }
        return versions.last();
    }

    private static TreeSet<Long> versions(Path modelFolder) {
        TreeSet<Long> versions = new TreeSet<>();
        try (Stream<Path> entries = Files.list(modelFolder)) {
            entries.filter(Files::isDirectory)
                    .map(entry -> entry.getFileName().toString())
                    // As Triton has it: whole numbers above zero, and a leading zero makes it no version.
                    .filter(entry -> entry.matches("[1-9][0-9]{0,17}"))
                    .forEach(entry -> versions.add(Long.parseLong(entry)));
        } catch (IOException e) {
            throw invalid(modelFolder + " cannot be listed: " + e, e);
        }
        return versions;
    }

    private static ServingException invalid(String message, @Nullable Throwable cause) {
        return new ServingException(ErrorCode.INVALID_REQUEST, message, cause);
    }

    private static ServingException notFound(String message) {
        return new ServingException(ErrorCode.MODEL_NOT_FOUND, message);
    }
}
