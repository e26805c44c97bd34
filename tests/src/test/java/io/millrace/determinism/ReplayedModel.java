package io.millrace.determinism;

import io.millrace.engine.Engine;
import io.millrace.engine.EngineOptions;
import io.millrace.engine.backend.Backends;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.model.GgufModel;
import io.millrace.text.tokenizer.Tokenizer;
import io.millrace.text.tokenizer.Tokenizers;
import io.millrace.text.tokenizer.Vocabulary;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/** A model on the CPU, and engines on it, one after the other, each with nothing in its cache. */
final class ReplayedModel implements AutoCloseable {
    static final int MAX_BATCH_TOKENS = 512;

    private static final int MAX_BATCH_SEQUENCES = 32;
    private static final int QUEUE_CAPACITY = 64;
    private static final int THREADS = 2;

    private final GgufModel model;
    private final ModelInstance instance;
    private final int contextTokens;
    private final Set<Integer> endTokens = new HashSet<>();
    private final LogitsBook book = new LogitsBook();

    ReplayedModel(Path file, int blockCount, int blockSizeTokens, int contextTokens) {
        this.contextTokens = contextTokens;
        model = GgufModel.open(file);
        instance = Backends.find("cpu")
                .load(new InstanceSpec(
                        model,
                        blockCount,
                        blockSizeTokens,
                        MAX_BATCH_TOKENS,
                        MAX_BATCH_SEQUENCES,
                        contextTokens,
                        0,
                        THREADS));
        Tokenizer tokenizer = Tokenizers.of(Vocabulary.fromMetadata(model.metadata()));
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            if (tokenizer.isEndOfTurn(id)) {
                endTokens.add(id);
            }
        }
    }

    void warmUp() {
        instance.warmUp(line -> {});
    }

    int vocabSize() {
        return instance.modelSpec().vocabSize();
    }

    int blockSizeTokens() {
        return instance.kvLayout().blockSizeTokens();
    }

    int blockCount() {
        return instance.blockCount();
    }

    LogitsBook book() {
        return book;
    }

    /** An engine with these limits. Only the latest one may be used. */
    ReplayEngine engine(int maxBatchTokens, int blockCount) {
        EngineOptions options = EngineOptions.of("replay", endTokens, contextTokens)
                .withLimits(maxBatchTokens, MAX_BATCH_SEQUENCES, QUEUE_CAPACITY);
        return new ReplayEngine(new Engine(options, new NotingInstance(instance, blockCount, book), () -> {}));
    }

    @Override
    public void close() {
        instance.close();
        model.close();
    }
}
