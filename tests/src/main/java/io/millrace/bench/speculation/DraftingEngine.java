package io.millrace.bench.speculation;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.Progress;
import io.millrace.engine.Admission;
import io.millrace.engine.Constraint;
import io.millrace.engine.DraftModel;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.engine.EngineOptions;
import io.millrace.engine.EngineStats;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.SpeculationOptions;
import io.millrace.engine.SpeculationParameters;
import io.millrace.engine.StepOutput;
import io.millrace.engine.StopCondition;
import io.millrace.engine.backend.Backend;
import io.millrace.engine.backend.Backends;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.model.GgufModel;
import io.millrace.text.tokenizer.Tokenizer;
import io.millrace.text.tokenizer.Tokenizers;
import io.millrace.text.tokenizer.Vocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** An engine alone, whose sequences are decoded with guesses and constraints or without. */
final class DraftingEngine implements AutoCloseable {
    static final int MAX_BATCH_SEQUENCES = 32;

    private static final int MAX_MODEL_TOKENS = 2048;
    private static final int BLOCK_SIZE_TOKENS = 32;
    private static final int BLOCK_COUNT = 640;
    /** For one sequence at a time, where two models share the memory. */
    private static final int DRAFTING_BLOCK_COUNT = 128;

    private static final int MAX_BATCH_TOKENS = 512;
    private static final int UNACKNOWLEDGED_STEPS = 4;
    private static final long RUN_LIMIT_SECONDS = 300;

    private final Tokenizer tokenizer;
    private final Engine engine;
    private final EngineLease lease;
    /** The sequences of the run, by their ids; the engine's thread reads it while the run waits. */
    private volatile Map<String, Recording> recordings = Map.of();

    private long sequenceCount;

    /** What is to be decoded. */
    record Task(int[] prompt, int maxTokens, @Nullable Constraint constraint) {}

    /** Prompts whose answers may be anything. */
    static List<Task> tasks(List<int[]> prompts, int maxTokens) {
        return prompts.stream().map(prompt -> new Task(prompt, maxTokens, null)).toList();
    }

    /** What came of it. */
    record Result(List<List<Integer>> outputs, double seconds, long tokens, long steps) {
        double tokensPerSecond() {
            return tokens / seconds;
        }

        double secondsPerStep() {
            return seconds / steps;
        }
    }

    /** Loads a model and warms it up. Guesses are as long as they are worth their time. */
    DraftingEngine(Path model, int threads, Progress progress) {
        this(model, null, SpeculationOptions.DEFAULT, threads, progress);
    }

    /**
     * Loads a model, and a second one to guess with.
     *
     * @param draft null for none
     */
    DraftingEngine(Path model, @Nullable Path draft, SpeculationOptions speculation, int threads, Progress progress) {
        GgufModel file = GgufModel.open(model);
        tokenizer = Tokenizers.of(Vocabulary.fromMetadata(file.metadata()));
        Set<Integer> endTokens = IntStream.range(0, tokenizer.vocabSize())
                .filter(tokenizer::isEndOfTurn)
                .boxed()
                .collect(Collectors.toSet());
        EngineOptions options = EngineOptions.of("bench", endTokens, MAX_MODEL_TOKENS)
                .withLimits(MAX_BATCH_TOKENS, MAX_BATCH_SEQUENCES, 2 * MAX_BATCH_SEQUENCES)
                .withSpeculation(speculation);
        Backend backend = Backends.find("cpu");
        DraftModel draftModel = draft == null
                ? null
                : DraftModel.load(backend, spec(GgufModel.open(draft), DRAFTING_BLOCK_COUNT, threads), progress::say);
        engine = Engine.load(
                backend,
                spec(file, draft == null ? BLOCK_COUNT : DRAFTING_BLOCK_COUNT, threads),
                options,
                draftModel,
                work -> new Thread(work, "bench-engine"),
                progress::say);
        lease = engine.lease("bench", this::onStep, UNACKNOWLEDGED_STEPS);
    }

    private static InstanceSpec spec(GgufModel file, int blockCount, int threads) {
        return new InstanceSpec(
                file,
                blockCount,
                BLOCK_SIZE_TOKENS,
                MAX_BATCH_TOKENS,
                MAX_BATCH_SEQUENCES,
                MAX_MODEL_TOKENS,
                0,
                threads);
    }

    Tokenizer tokenizer() {
        return tokenizer;
    }

    EngineStats stats() {
        return engine.stats();
    }

    /** Decodes tasks beside each other, greedily; counts from when all have their first tokens. */
    Result run(List<Task> tasks, SpeculationParameters speculation) throws InterruptedException {
        Map<String, Recording> run = new LinkedHashMap<>();
        for (Task task : tasks) {
            run.put("s" + sequenceCount++, new Recording(task));
        }
        recordings = run;
        run.forEach((id, recording) -> submit(id, recording.task, speculation));
        for (Recording recording : run.values()) {
            recording.await();
        }
        return result(run.values().stream().toList());
    }

    private void submit(String id, Task task, SpeculationParameters speculation) {
        // A salt of its own: no run finds what another has computed.
        Admission admission = lease.submit(new SequenceRequest(
                id,
                id,
                SequenceRequest.Purpose.GENERATE,
                task.prompt(),
                new int[0],
                SamplingParameters.greedy(task.maxTokens()),
                id,
                0,
                System.nanoTime(),
                StopCondition.NEVER,
                null,
                task.constraint(),
                speculation));
        if (admission != Admission.ACCEPTED) {
            throw new IllegalStateException("the engine refused a sequence: " + admission);
        }
    }

    private static Result result(List<Recording> recordings) {
        long begin =
                recordings.stream().mapToLong(one -> one.nanos.get(0)).max().orElseThrow();
        long end = recordings.stream()
                .mapToLong(one -> one.nanos.get(one.nanos.size() - 1))
                .max()
                .orElseThrow();
        List<Long> times = recordings.stream()
                .flatMap(one -> one.nanos.stream())
                .filter(nanos -> nanos > begin)
                .toList();
        return new Result(
                recordings.stream().map(one -> List.copyOf(one.tokens)).toList(),
                (end - begin) / 1e9,
                times.size(),
                times.stream().distinct().count());
    }

    private void onStep(StepOutput output) {
        for (SequenceEvent event : output.events()) {
            Recording recording = recordings.get(event.sequenceId());
            if (recording != null) {
                recording.accept(event);
            }
        }
        lease.acknowledge(output);
    }

    @Override
    public void close() {
        lease.close();
        engine.close();
    }

    /** A sequence's tokens and their times. Written by the engine's thread, read when it is done. */
    private static final class Recording {
        private final Task task;
        private final List<Integer> tokens = new ArrayList<>();
        private final List<Long> nanos = new ArrayList<>();
        private final CountDownLatch done = new CountDownLatch(1);
        private String failure = "";

        Recording(Task task) {
            this.task = requireNonNull(task, "task");
        }

        private void accept(SequenceEvent event) {
            if (event instanceof SequenceEvent.Token token) {
                tokens.add(token.tokenId());
                nanos.add(token.nanos());
            } else if (event instanceof SequenceEvent.Failed failed) {
                failure = failed.message();
                done.countDown();
            } else if (event instanceof SequenceEvent.Finished) {
                done.countDown();
            }
        }

        private void await() throws InterruptedException {
            if (!done.await(RUN_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("a sequence did not end within " + RUN_LIMIT_SECONDS + " s");
            }
            if (!failure.isEmpty()) {
                throw new IllegalStateException("a sequence failed: " + failure);
            }
        }
    }
}
