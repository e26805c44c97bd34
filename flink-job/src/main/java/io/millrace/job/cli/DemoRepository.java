package io.millrace.job.cli;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * Lays a fetched model out as a model repository, in the cache: the {@code config.pbtxt} that comes with Millrace, and
 * a version folder whose {@code model.gguf} is a link to the model.
 *
 * @param folder the repository
 * @param modelName the model in it
 */
record DemoRepository(Path folder, String modelName) {
    /** The demo's model in {@code jobs-config/model-repository}. */
    static final String MODEL_NAME = "smollm2-135m-instruct";

    private static final String CONFIG_RESOURCE = "millrace/model-repository/" + MODEL_NAME + "/config.pbtxt";

    DemoRepository {
        requireNonNull(folder, "folder");
        requireNonNull(modelName, "modelName");
    }

    /** Whether a cached file is the model that a configuration comes with; the stand-in has none. */
    static boolean describes(Path model) {
        return model.endsWith(ModelFetcher.DEMO_MODELS.get(0).name());
    }

    /** Lays it out beside the folder that the model is cached in. Safe for several processes at a time. */
    static DemoRepository layOut(Path model) throws IOException {
        Path cache = requireNonNull(model.toAbsolutePath().getParent(), "the model's folder");
        Path repository = cache.resolveSibling("model-repository");
        Path version = Files.createDirectories(repository.resolve(MODEL_NAME).resolve("1"));
        Path config = Files.createTempFile(repository, ".config-", ".pbtxt");
        try (InputStream in = DemoRepository.class.getClassLoader().getResourceAsStream(CONFIG_RESOURCE)) {
            if (in == null) {
                throw new IOException(CONFIG_RESOURCE + " is not on the class path");
            }
            Files.copy(in, config, StandardCopyOption.REPLACE_EXISTING);
        }
        Files.move(
                config,
                repository.resolve(MODEL_NAME).resolve("config.pbtxt"),
                StandardCopyOption.REPLACE_EXISTING,
                StandardCopyOption.ATOMIC_MOVE);
        link(version.resolve("model.gguf"), model.toAbsolutePath());
        return new DemoRepository(repository, MODEL_NAME);
    }

    private static void link(Path link, Path model) throws IOException {
        if (Files.isSymbolicLink(link) && Files.readSymbolicLink(link).equals(model)) {
            return;
        }
        Files.deleteIfExists(link);
        try {
            Files.createSymbolicLink(link, model);
        } catch (FileAlreadyExistsException e) {
            // Another process was quicker, and made the same.
        } catch (UnsupportedOperationException e) {
            Files.copy(model, link, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
