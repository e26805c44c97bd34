package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Backend;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A second model, whose guesses an engine takes: of the same vocabulary as the engine's own, and faster. It has its own
 * KV blocks, on the same device or another.
 *
 * @param instance warm; closed with the engine
 * @param model what the instance computes with, closed after it
 * @param maxBatchTokens most tokens of one of its batches
 * @param maxBatchSequences most sequences of one of its batches
 * @param maxModelTokens most tokens of a sequence; longer ones get no guesses of it
 */
public record DraftModel(
        ModelInstance instance, AutoCloseable model, int maxBatchTokens, int maxBatchSequences, int maxModelTokens)
        implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DraftModel.class);

    public DraftModel {
        requireNonNull(instance, "instance");
        requireNonNull(model, "model");
        if (maxBatchSequences <= 0 || maxBatchTokens < maxBatchSequences || maxModelTokens <= 0) {
            throw new IllegalArgumentException("limits of a draft model: " + maxBatchTokens + " tokens and "
                    + maxBatchSequences + " sequences in a batch, " + maxModelTokens + " tokens of a sequence");
        }
    }

    /**
     * Loads a model onto a device and warms it up. Takes as long as that takes.
     *
     * @param backend initialised
     * @param spec its model is closed with the engine, or before this throws
     */
    public static DraftModel load(Backend backend, InstanceSpec spec, Consumer<String> progress) {
        ModelInstance instance = null;
        try {
            instance = backend.load(spec);
            instance.warmUp(progress);
            return new DraftModel(
                    instance, spec.model(), spec.maxBatchTokens(), spec.maxBatchSequences(), spec.maxModelTokens());
        } catch (RuntimeException | Error e) {
            if (instance != null) {
                instance.close();
            }
            spec.model().close();
            throw e;
        }
    }

    /** Frees everything. */
    @Override
    public void close() {
        close("instance", instance);
        close("file", model);
    }

    private static void close(String what, AutoCloseable part) {
        try {
            part.close();
        } catch (Exception e) {
            LOG.error("The {} of a draft model could not be closed", what, e);
        }
    }
}
