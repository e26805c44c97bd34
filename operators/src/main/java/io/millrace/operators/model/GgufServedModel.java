package io.millrace.operators.model;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.DraftModel;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineHold;
import io.millrace.engine.EngineKey;
import io.millrace.engine.EngineLease;
import io.millrace.engine.EngineOptions;
import io.millrace.engine.EngineRegistry;
import io.millrace.engine.SpeculationOptions;
import io.millrace.engine.backend.Backend;
import io.millrace.engine.backend.BackendChoice;
import io.millrace.engine.backend.Backends;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.KvPoolSize;
import io.millrace.kv.LeastRecentlyUsedRetention;
import io.millrace.model.GgufModel;
import io.millrace.model.ModelSpec;
import io.millrace.operators.DevicePlace;
import io.millrace.operators.EngineRole;
import io.millrace.operators.ModelText;
import io.millrace.operators.ServedModel;
import io.millrace.text.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The model of a GGUF file. Engine and text side are the process's: every operator, and a job after it, shares them.
 */
public final class GgufServedModel implements ServedModel {
    private static final long serialVersionUID = 1L;
    private static final Logger LOG = LoggerFactory.getLogger(GgufServedModel.class);

    private final ModelSettings settings;
    private final @Nullable EngineRole role;
    /** Known once the operator is where it runs. */
    private final transient @Nullable DevicePlace place;

    public GgufServedModel(ModelSettings settings) {
        this(settings, null, null);
    }

    private GgufServedModel(ModelSettings settings, @Nullable EngineRole role, @Nullable DevicePlace place) {
        this.settings = requireNonNull(settings, "settings");
        this.role = role;
        this.place = place;
    }

    @Override
    public GgufServedModel inRole(EngineRole other) {
        return new GgufServedModel(settings, requireNonNull(other, "other"), place);
    }

    @Override
    public GgufServedModel at(DevicePlace other) {
        return new GgufServedModel(settings, role, requireNonNull(other, "other"));
    }

    /** What is served, and how. */
    public ModelSettings settings() {
        return settings;
    }

    @Override
    public EngineLease lease(String name, EngineLease.StepListener listener, int maxUnacknowledgedSteps) {
        EngineHold hold = EngineRegistry.shared().acquire(key(), settings.linger(), this::load);
        try {
            return new HeldLease(hold.engine().lease(name, listener, maxUnacknowledgedSteps), hold);
        } catch (RuntimeException e) {
            hold.close();
            throw e;
        }
    }

    @Override
    public ModelText open() {
        return ModelTexts.open(settings);
    }

    /**
     * Names the engine in {@link EngineRegistry#shared()}.
     *
     * @throws io.millrace.kv.ServingException {@code UNAVAILABLE} if the backend cannot run here, with what is missing
     */
    public EngineKey key() {
        ModelSettings s = settings;
        BackendChoice choice = Backends.chosen(s.backend());
        String limits = String.join(
                " ",
                "threads=" + s.resolvedThreadCount(),
                "block_size_tokens=" + s.blockSizeTokens(),
                "pool=" + s.pool(),
                "max_batch_tokens=" + maxBatchTokens(),
                "max_batch_sequences=" + s.maxBatchSequences(),
                "queue_capacity=" + s.queueCapacity(),
                "max_model_tokens=" + s.maxModelTokens(),
                "draft_model=" + s.draftModelFile(),
                "draft_kv_memory_bytes=" + s.draftKvMemoryBytes(),
                "parameters=" + new TreeMap<>(s.parametersOf(choice.name())),
                "role=" + (role == null ? "" : role));
        return new EngineKey(s.modelFile(), choice.name(), device(choice), limits);
    }

    private int device(BackendChoice choice) {
        if (settings.deviceIndex() != ModelSettings.ANY_DEVICE) {
            return settings.deviceIndex();
        }
        return place == null ? 0 : place.device(choice.deviceCount());
    }

    /** An engine that only prefills takes smaller steps, so that less is left to hand over when the last has ended. */
    private int maxBatchTokens() {
        return role == EngineRole.PREFILL
                ? Math.min(settings.maxBatchTokens(), settings.prefillBatchTokens())
                : settings.maxBatchTokens();
    }

    /**
     * Checks the file of the model that drafts tokens, if there is one: said before a job is made, it needs no engine
     * to fail.
     *
     * @throws io.millrace.kv.ServingException {@code MODEL_FILE_INVALID} if it or the model's own file cannot be read,
     *     {@code INVALID_REQUEST} if it has another vocabulary
     */
    public void checkDraftModel() {
        if (!settings.draftModelFile().isEmpty()) {
            try (GgufModel model = GgufModel.open(Path.of(settings.modelFile()))) {
                DraftModelFile.open(Path.of(settings.draftModelFile()), model).close();
            }
        }
    }

    private Engine load() {
        BackendChoice choice = Backends.chosen(settings.backend());
        LOG.info(
                "loading {} on device {} of backend {}: {}",
                settings.modelFile(),
                device(choice),
                choice.name(),
                choice.reason());
        GgufModel model = GgufModel.open(Path.of(settings.modelFile()));
        try {
            ModelSpec spec = model.spec();
            int maxModelTokens = settings.resolvedMaxModelTokens(spec);
            EngineOptions options = new EngineOptions(
                    choice.name() + " " + model.fingerprint(),
                    endTokens(ModelTexts.tokenizer(settings)),
                    maxBatchTokens(),
                    settings.maxBatchSequences(),
                    maxModelTokens,
                    settings.queueCapacity(),
                    EngineOptions.DEFAULT_MAX_LOADS,
                    LeastRecentlyUsedRetention::new,
                    EngineOptions.DEFAULT_STALL_TIMEOUT,
                    System::nanoTime,
                    new SpeculationOptions(InstanceSpec.DEFAULT_DRAFT_ROWS, true, MaskThreads.shared()));
            InstanceSpec instance = new InstanceSpec(
                    model,
                    settings.pool(),
                    settings.blockSizeTokens(),
                    maxBatchTokens(),
                    settings.maxBatchSequences(),
                    maxModelTokens,
                    device(choice),
                    settings.resolvedThreadCount(),
                    settings.parametersOf(choice.name()));
            Backend backend = Backends.find(choice.name());
            return Engine.load(
                    backend,
                    instance,
                    options,
                    loadDraftModel(choice, model, maxModelTokens),
                    this::newThread,
                    line -> LOG.info("{}", line));
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
    }

    /** The model that drafts tokens, or null if there is none. What only prefills drafts nothing. */
    private @Nullable DraftModel loadDraftModel(BackendChoice choice, GgufModel served, int maxModelTokens) {
        if (settings.draftModelFile().isEmpty() || role == EngineRole.PREFILL) {
            return null;
        }
        GgufModel model = DraftModelFile.open(Path.of(settings.draftModelFile()), served);
        InstanceSpec spec;
        try {
            spec = new InstanceSpec(
                    model,
                    KvPoolSize.memory(settings.draftKvMemoryBytes()),
                    settings.blockSizeTokens(),
                    maxBatchTokens(),
                    settings.maxBatchSequences(),
                    Math.min(maxModelTokens, model.spec().contextLength()),
                    device(choice),
                    settings.resolvedThreadCount(),
                    settings.parametersOf(choice.name()));
        } catch (RuntimeException | Error e) {
            model.close();
            throw e;
        }
        LOG.info(
                "loading {}, which drafts for {}: KV blocks of {} tokens, in at most {} bytes",
                settings.draftModelFile(),
                settings.modelName(),
                spec.blockSizeTokens(),
                settings.draftKvMemoryBytes());
        return DraftModel.load(Backends.find(choice.name()), spec, line -> LOG.info("{}", line));
    }

    private Thread newThread(Runnable run) {
        Thread thread = new Thread(run, "millrace-engine-" + settings.modelName() + (role == null ? "" : "-" + role));
        thread.setDaemon(true);
        return thread;
    }

    private static Set<Integer> endTokens(Tokenizer tokenizer) {
        Set<Integer> ids = new HashSet<>();
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            if (tokenizer.isEndOfTurn(id)) {
                ids.add(id);
            }
        }
        return ids;
    }
}
