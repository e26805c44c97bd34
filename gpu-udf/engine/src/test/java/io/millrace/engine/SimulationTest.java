package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.SequenceEvent.Failed;
import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.engine.SequenceEvent.Finished;
import io.millrace.engine.SequenceEvent.Prefilled;
import io.millrace.engine.SequenceEvent.Token;
import io.millrace.engine.SequenceRequest.Purpose;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.speculation.DrafterKind;
import io.millrace.engine.testing.TestingConstraint;
import io.millrace.engine.testing.TestingLogits;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.kv.LeastRecentlyUsedRetention;
import io.millrace.kv.NoRetention;
import io.millrace.kv.testing.Property;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Plays random arrivals against an engine, and checks every step and every output. */
class SimulationTest {
    private static final int VOCAB = 40;
    private static final int END = 39;
    private static final long STEP_NANOS = 20_000_000;

    @Test
    void tenThousandArrivals() {
        Property.forAll(7, 1, random -> {
            Simulation simulation = new Simulation(random, new Shape(48, 8, 96, 64, 8, 24, true, 24, false, true));
            EngineStats stats = simulation.run(10_000);

            // What it is meant to exercise did happen, and often.
            assertThat(stats.finishedSequences()).isEqualTo(simulation.arrivals);
            assertThat(simulation.rejected).isGreaterThan(100);
            assertThat(simulation.cancellations).isGreaterThan(100);
            assertThat(stats.preemptions()).isGreaterThan(20);
            assertThat(stats.blocks().hitBlocks()).isGreaterThan(1000);
            assertThat(stats.blocks().evictedBlocks()).isGreaterThan(1000);
            assertThat(stats.blocks().duplicateBlocks()).isGreaterThan(10);
            assertThat(stats.speculation().constraint().acceptedTokens()).isGreaterThan(1000);
            assertThat(stats.speculation().constraint().draftedTokens())
                    .isGreaterThan(stats.speculation().constraint().acceptedTokens() + 100);
            assertThat(stats.speculation().lookup().acceptedTokens()).isGreaterThan(1000);
            assertThat(stats.speculation().lookup().draftedTokens())
                    .isGreaterThan(stats.speculation().lookup().acceptedTokens() + 1000);
            // Nobody starves: ahead of a sequence are at most the queue, the running ones, and those that its 4 seconds
            // of
            // priority at most let pass; a slow lease may hold each of them up for its stall timeout.
            assertThat(simulation.mostStepsToEnd).isLessThan(3000);
        });
    }

    @Test
    void manyShapes() {
        Property.forAll(100, 60, random -> {
            int blockSize = 1 + random.nextInt(9);
            int maxModelTokens = 8 + random.nextInt(80);
            int blocks = 1 + maxModelTokens / blockSize * (1 + random.nextInt(4)) / 2;
            new Simulation(random, Shape.of(random, blocks, blockSize, maxModelTokens)).run(120);
        });
    }

    /** The limits of one simulated engine. */
    private record Shape(
            int blockCount,
            int blockSizeTokens,
            int maxModelTokens,
            int maxBatchTokens,
            int maxBatchSequences,
            int queueCapacity,
            boolean retains,
            int maxDraftRows,
            boolean adaptive,
            boolean repeats) {
        static Shape of(Random random, int blockCount, int blockSizeTokens, int maxModelTokens) {
            return new Shape(
                    blockCount,
                    blockSizeTokens,
                    maxModelTokens,
                    1 + random.nextInt(40),
                    1 + random.nextInt(10),
                    1 + random.nextInt(30),
                    random.nextInt(5) > 0,
                    random.nextInt(40),
                    random.nextInt(3) == 0,
                    random.nextBoolean());
        }

        TestingLogits logits() {
            return repeats ? TestingLogits.REPEATING : TestingLogits.HASHED;
        }
    }

    /** One accepted sequence and what has been said of it. */
    private static final class Tracked {
        final SequenceRequest request;
        final SimulatedUser user;
        final long submittedStep;
        final List<Integer> tokens = new ArrayList<>();
        boolean cancelled;
        boolean ended;
        long lastProgressStep;

        Tracked(SequenceRequest request, SimulatedUser user, long step) {
            this.request = request;
            this.user = user;
            submittedStep = step;
        }
    }

    /** A lease whose outputs are sometimes left lying for a while. */
    private static final class SimulatedUser {
        final EngineLease lease;
        final List<StepOutput> unacknowledged = new ArrayList<>();
        final boolean slow;

        SimulatedUser(Simulation simulation, String name, int maxUnacknowledgedSteps, boolean slow) {
            this.slow = slow;
            lease = simulation.engine.lease(
                    name,
                    output -> {
                        unacknowledged.add(output);
                        output.events().forEach(event -> simulation.onEvent(this, event));
                    },
                    maxUnacknowledgedSteps);
        }
    }

    private static final class Simulation {
        final Random random;
        final Shape shape;
        final Engine engine;
        final List<SimulatedUser> users = new ArrayList<>();
        final Map<String, Tracked> records = new HashMap<>();
        final List<Tracked> live = new ArrayList<>();
        final Sampler sampler = new Sampler(VOCAB);
        long clockNanos = 1_000_000_000_000L;
        long step;
        long offers;
        long arrivals;
        long cancellations;
        int slowness = 30;
        long rejected;
        long mostStepsToEnd;

        Simulation(Random random, Shape shape) {
            this.random = random;
            this.shape = shape;
            TestingModelInstance instance =
                    new TestingModelInstance(VOCAB, shape.blockCount(), shape.blockSizeTokens(), shape.logits());
            instance.observe(this::checkBudget);
            EngineOptions options = EngineOptions.of("simulated", Set.of(END), shape.maxModelTokens())
                    .withLimits(shape.maxBatchTokens(), shape.maxBatchSequences(), shape.queueCapacity())
                    .withRetention(shape.retains() ? LeastRecentlyUsedRetention::new : NoRetention::new)
                    .withSpeculation(new SpeculationOptions(shape.maxDraftRows(), shape.adaptive(), Runnable::run))
                    .withClock(() -> clockNanos);
            TestingModelInstance draft =
                    new TestingModelInstance(VOCAB, 1 + random.nextInt(40), 1 + random.nextInt(9), shape.logits());
            int draftSequences = 1 + random.nextInt(9);
            DraftModel draftModel = new DraftModel(
                    draft, () -> {}, draftSequences + random.nextInt(40), draftSequences, 1 + random.nextInt(90));
            engine = new Engine(options, instance, () -> {}, draftModel);
            users.add(new SimulatedUser(this, "prompt", 2, false));
            users.add(new SimulatedUser(this, "slow", 1, true));
        }

        EngineStats run(int arrivalCount) {
            while (arrivals < arrivalCount) {
                // Bursts and lulls.
                for (int i = random.nextInt(4) == 0 ? random.nextInt(5) : 0; i > 0; i--) {
                    arrive();
                }
                if (random.nextInt(10) == 0 && !live.isEmpty()) {
                    Tracked record = live.get(random.nextInt(live.size()));
                    record.cancelled = true;
                    record.user.lease.cancel(record.request.sequenceId());
                }
                acknowledge();
                step();
            }
            slowness = 3;
            for (int i = 0; !live.isEmpty(); i++) {
                assertThat(i).as("steps until the end").isLessThan(20_000);
                acknowledge();
                step();
            }
            engine.doWork();
            assertThat(engine.stats().runningSequences()).isZero();
            assertThat(engine.stats().waitingSequences()).isZero();
            assertThat(engine.stats().blocks().usedBlocks()).isZero();
            assertThat(engine.stats().failedSequences()).isZero();
            engine.close();
            engine.checkIntegrity();
            return engine.stats();
        }

        private void step() {
            engine.doWork();
            engine.checkIntegrity();
            clockNanos += STEP_NANOS;
            step++;
        }

        private void arrive() {
            SimulatedUser user = users.get(random.nextInt(users.size()));
            SequenceRequest request = randomRequest("s" + offers);
            offers++;
            boolean fits = request.promptTokens().length + request.generatedTokens().length + 1
                    <= Math.min(shape.maxModelTokens(), shape.blockCount() * shape.blockSizeTokens());
            Admission admission = user.lease.submit(request);
            if (!fits) {
                assertThat(admission).isEqualTo(Admission.REJECTED_TOO_LONG);
            } else if (admission == Admission.ACCEPTED) {
                Tracked record = new Tracked(request, user, step);
                records.put(request.sequenceId(), record);
                live.add(record);
                arrivals++;
            } else {
                rejected++;
                assertThat(admission).isEqualTo(Admission.REJECTED_QUEUE_FULL);
                assertThat(live.size()).isGreaterThanOrEqualTo(shape.queueCapacity());
            }
        }

        private SequenceRequest randomRequest(String id) {
            // Prompts of one family share their beginnings.
            int family = random.nextInt(4);
            int length = 1 + random.nextInt(Math.max(1, shape.maxModelTokens() * 3 / 4));
            int[] prompt = new int[length];
            int shared = random.nextInt(length + 1);
            for (int i = 0; i < length; i++) {
                prompt[i] = i < shared ? (family * 7 + i * i) % VOCAB : random.nextInt(VOCAB);
            }
            TestingConstraint constraint =
                    random.nextInt(3) > 0 ? null : TestingConstraint.start(VOCAB, random.nextLong());
            int first = random.nextInt(VOCAB - 1);
            boolean resumes = random.nextInt(6) == 0 && (constraint == null || constraint.allows(first));
            int[] generated = resumes ? new int[] {first} : new int[0];
            boolean plain = random.nextBoolean();
            SamplingParameters sampling = new SamplingParameters(
                    1 + random.nextInt(shape.maxModelTokens()),
                    plain ? 0 : random.nextFloat() * 2,
                    random.nextInt(3) * 5,
                    random.nextBoolean() ? 1 : 0.5f + random.nextFloat() / 2,
                    random.nextBoolean() ? 0 : random.nextFloat() / 10,
                    plain ? 1 : 1.2f,
                    plain ? 0 : 0.3f,
                    plain ? 0 : 0.1f,
                    Map.of(random.nextInt(VOCAB), random.nextFloat()),
                    Set.of(random.nextInt(VOCAB)),
                    random.nextLong(),
                    random.nextInt(4) == 0,
                    random.nextInt(3));
            return new SequenceRequest(
                    id,
                    "session" + random.nextInt(5),
                    random.nextInt(4) == 0 ? Purpose.PREFILL : Purpose.GENERATE,
                    prompt,
                    generated,
                    sampling,
                    random.nextInt(5) == 0 ? "tenant" : "",
                    random.nextInt(5) == 0 ? random.nextInt(4) : 0,
                    clockNanos,
                    StopCondition.NEVER,
                    null,
                    constraint,
                    randomSpeculation());
        }

        private SpeculationParameters randomSpeculation() {
            Set<DrafterKind> kinds = new HashSet<>();
            for (DrafterKind kind : DrafterKind.values()) {
                if (random.nextBoolean()) {
                    kinds.add(kind);
                }
            }
            return new SpeculationParameters(kinds, random.nextInt(12));
        }

        private void acknowledge() {
            for (SimulatedUser user : users) {
                // The slow one leaves its outputs for up to several seconds of the simulated clock.
                if (!user.slow || random.nextInt(slowness) == 0) {
                    user.unacknowledged.forEach(user.lease::acknowledge);
                    user.unacknowledged.clear();
                }
            }
        }

        private void checkBudget(Batch batch) {
            assertThat(batch.tokenCount).isBetween(1, shape.maxBatchTokens());
            assertThat(batch.sequenceCount).isBetween(1, shape.maxBatchSequences());
        }

        private void onEvent(SimulatedUser user, SequenceEvent event) {
            Tracked record = records.get(event.sequenceId());
            assertThat(record.ended).as("%s after the end", event).isFalse();
            assertThat(record.user).isSameAs(user);
            if (event instanceof Token token) {
                assertThat(token.offset()).isEqualTo(record.request.generatedTokens().length + record.tokens.size());
                record.tokens.add(token.tokenId());
            } else if (event instanceof Finished end) {
                end(record);
                checkOutput(record, end);
            } else if (event instanceof Prefilled end) {
                end(record);
                int whole = (record.request.promptTokens().length + record.request.generatedTokens().length - 1)
                        / shape.blockSizeTokens()
                        * shape.blockSizeTokens();
                assertThat(end.cachedTokens() + end.computedTokens()).isEqualTo(whole);
            } else if (event instanceof Failed failed) {
                throw new AssertionError(failed.toString());
            }
        }

        private void end(Tracked record) {
            record.ended = true;
            live.remove(record);
            mostStepsToEnd = Math.max(mostStepsToEnd, step - record.submittedStep);
        }

        /** The output is what decoding the sequence alone gives, as far as it got. */
        private void checkOutput(Tracked record, Finished end) {
            SequenceRequest request = record.request;
            List<Integer> expected = decodeAlone(request, record.tokens.size());
            assertThat(record.tokens).isEqualTo(expected);
            int outputCount = request.generatedTokens().length + record.tokens.size();
            assertThat(end.outputTokens()).isEqualTo(outputCount);
            int limit = Math.min(shape.maxModelTokens(), shape.blockCount() * shape.blockSizeTokens());
            if (end.reason() == FinishReason.CANCELLED) {
                assertThat(record.cancelled).isTrue();
                cancellations++;
            } else if (end.reason() == FinishReason.LENGTH) {
                assertThat(outputCount >= request.sampling().maxTokens()
                                || request.promptTokens().length + outputCount >= limit)
                        .isTrue();
            }
        }

        private List<Integer> decodeAlone(SequenceRequest request, int count) {
            int[] tokens = new int[request.promptTokens().length + request.generatedTokens().length + count];
            int length = 0;
            TokenCounts counts = new TokenCounts();
            for (int token : request.promptTokens()) {
                tokens[length++] = token;
                counts.addPrompt(token);
            }
            for (int token : request.generatedTokens()) {
                tokens[length++] = token;
                counts.addOutput(token);
            }
            Constraint constraint = ConstraintReplay.replay(request);
            List<Integer> output = new ArrayList<>();
            float[] logits = new float[VOCAB];
            List<Integer> endTokens = new ArrayList<>(request.sampling().stopTokenIds());
            if (!request.sampling().ignoreEos()) {
                endTokens.add(END);
            }
            int[] banned =
                    endTokens.stream().mapToInt(Integer::intValue).sorted().toArray();
            for (int i = 0; i < count; i++) {
                shape.logits().compute(tokens, length, logits);
                int offset = request.generatedTokens().length + i;
                boolean bans = offset < request.sampling().minTokens();
                long[] mask = constraint == null ? null : constraint.allowed();
                int token =
                        sampler.sample(logits, request.sampling(), offset, counts, bans ? banned : new int[0], mask);
                constraint = constraint == null ? null : constraint.after(token);
                tokens[length++] = token;
                counts.addOutput(token);
                output.add(token);
                boolean last = i == count - 1;
                // Before the least number of tokens one may come where the constraint leaves nothing else.
                assertThat(!last && !bans && endTokens.contains(token))
                        .as("an end token in the middle")
                        .isFalse();
            }
            return output;
        }
    }
}
