package io.millrace.bench.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.Progress;
import io.millrace.engine.Admission;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.engine.EngineOptions;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StepOutput;
import io.millrace.engine.StopCondition;
import io.millrace.engine.backend.Backend;
import io.millrace.engine.backend.Backends;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.model.GgufModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Our engine without a job around it: sequences go in, and the times at which their tokens were sampled come out. */
final class EngineRunner implements AutoCloseable {
    static final int MAX_MODEL_TOKENS = 2560;

    private static final int BLOCK_SIZE_TOKENS = 32;
    private static final int BLOCK_COUNT = 256;
    private static final int MAX_BATCH_TOKENS = 512;
    private static final int MAX_BATCH_SEQUENCES = 16;
    private static final int QUEUE_CAPACITY = 64;
    private static final int UNACKNOWLEDGED_STEPS = 4;
    private static final long RUN_LIMIT_SECONDS = 300;

    private final Engine engine;
    private final EngineLease lease;
    private final Map<String, Recording> recordings = new ConcurrentHashMap<>();
    private final AtomicLong sequenceNumber = new AtomicLong();

    /** Loads a model and warms it up. */
    EngineRunner(Path model, int threads, Progress progress) {
        Backend backend = Backends.find("cpu");
        GgufModel file = GgufModel.open(model);
        InstanceSpec spec = new InstanceSpec(
                file,
                BLOCK_COUNT,
                BLOCK_SIZE_TOKENS,
                MAX_BATCH_TOKENS,
                MAX_BATCH_SEQUENCES,
                MAX_MODEL_TOKENS,
                0,
                threads);
        EngineOptions options = EngineOptions.of("bench", Set.of(), MAX_MODEL_TOKENS)
                .withLimits(MAX_BATCH_TOKENS, MAX_BATCH_SEQUENCES, QUEUE_CAPACITY);
        this.engine = Engine.load(backend, spec, options, work -> new Thread(work, "bench-engine"), progress::say);
        this.lease = engine.lease("bench", this::onStep, UNACKNOWLEDGED_STEPS);
    }

    /** Seconds from a prompt to its first token, with nothing cached. */
    double prefillSeconds(int[] prompt) throws InterruptedException {
        return run(List.of(prompt), 1, newSalt()).get(0).ttftSeconds();
    }

    /** Tokens a second of all sequences together, from when each has its first token. */
    double decodeTokensPerSecond(List<int[]> prompts, int tokens) throws InterruptedException {
        return decodeRate(run(prompts, tokens, newSalt()));
    }

    /** Tokens a second of all sequences together, from the first submission to the last token. */
    double endToEndTokensPerSecond(List<int[]> prompts, int tokens) throws InterruptedException {
        List<Recording> runs = run(prompts, tokens, newSalt());
        long begin = runs.stream().mapToLong(run -> run.submittedNanos).min().orElseThrow();
        long end = runs.stream().mapToLong(run -> run.nanos[tokens - 1]).max().orElseThrow();
        return prompts.size() * (double) tokens / ((end - begin) / 1e9);
    }

    /** Seconds to the first token of a turn that adds to a prompt: with the prompt computed before, and without. */
    FollowUp followUp(int[] prompt, int[] increment) throws InterruptedException {
        int[] whole = TokenPrompts.joined(prompt, increment);
        double uncached = run(List.of(whole), 1, newSalt()).get(0).ttftSeconds();
        String salt = newSalt();
        run(List.of(prompt), 1, salt);
        double cached = run(List.of(whole), 1, salt).get(0).ttftSeconds();
        return new FollowUp(cached, uncached);
    }

    private static double decodeRate(List<Recording> runs) {
        long begin = runs.stream().mapToLong(run -> run.nanos[0]).max().orElseThrow();
        long end = 0;
        long tokens = 0;
        for (Recording run : runs) {
            tokens += Arrays.stream(run.nanos).filter(nanos -> nanos > begin).count();
            end = Math.max(end, run.nanos[run.nanos.length - 1]);
        }
        return tokens / ((end - begin) / 1e9);
    }

    // A salt of its own for each run: nothing of an earlier run is found in the cache.
    private String newSalt() {
        return "run-" + sequenceNumber.incrementAndGet();
    }

    private List<Recording> run(List<int[]> prompts, int tokens, String salt) throws InterruptedException {
        List<Recording> runs = new ArrayList<>();
        for (int[] prompt : prompts) {
            String id = "s" + sequenceNumber.incrementAndGet();
            Recording recording = new Recording(tokens, System.nanoTime());
            recordings.put(id, recording);
            runs.add(recording);
            Admission admission = lease.submit(new SequenceRequest(
                    id,
                    id,
                    SequenceRequest.Purpose.GENERATE,
                    prompt,
                    new int[0],
                    greedy(tokens),
                    salt,
                    0,
                    recording.submittedNanos,
                    StopCondition.NEVER,
                    null));
            if (admission != Admission.ACCEPTED) {
                throw new IllegalStateException("the engine refused a sequence: " + admission);
            }
        }
        for (Recording recording : runs) {
            recording.await();
        }
        return runs;
    }

    private static SamplingParameters greedy(int tokens) {
        return new SamplingParameters(tokens, 0, 0, 1, 0, 1, 0, 0, Map.of(), Set.of(), 0, true, 0);
    }

    private void onStep(StepOutput output) {
        for (SequenceEvent event : output.events()) {
            Recording recording = recordings.get(event.sequenceId());
            if (recording != null) {
                recording.accept(event);
                if (recording.isDone()) {
                    recordings.remove(event.sequenceId());
                }
            }
        }
        lease.acknowledge(output);
    }

    @Override
    public void close() {
        lease.close();
        engine.close();
    }

    /** The times of a sequence's tokens. Written by the engine's thread, read when it is done. */
    private static final class Recording {
        private final long[] nanos;
        private final long submittedNanos;
        private final CountDownLatch done = new CountDownLatch(1);
        private volatile String failure = "";

        private Recording(int tokens, long submittedNanos) {
            this.nanos = new long[tokens];
            this.submittedNanos = submittedNanos;
        }

        private void accept(SequenceEvent event) {
            if (event instanceof SequenceEvent.Token token) {
                nanos[token.offset()] = token.nanos();
            } else if (event instanceof SequenceEvent.Failed failed) {
                failure = requireNonNull(failed.message(), "message");
                done.countDown();
            } else if (event instanceof SequenceEvent.Finished finished) {
                if (finished.outputTokens() != nanos.length) {
                    failure = "it ended after " + finished.outputTokens() + " tokens, by " + finished.reason();
                }
                done.countDown();
            }
        }

        private boolean isDone() {
            return done.getCount() == 0;
        }

        private void await() throws InterruptedException {
            if (!done.await(RUN_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("a sequence did not end within " + RUN_LIMIT_SECONDS + " s");
            }
            if (!failure.isEmpty()) {
                throw new IllegalStateException("a sequence failed: " + failure);
            }
        }

        private double ttftSeconds() {
            return (nanos[0] - submittedNanos) / 1e9;
        }
    }
}
