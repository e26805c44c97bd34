package io.millrace.engine.testing;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Admission;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.engine.EngineOptions;
import io.millrace.engine.EngineStats;
import io.millrace.engine.HeldBlocks;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.SequenceRequest.Purpose;
import io.millrace.engine.StepOutput;
import io.millrace.engine.StopCondition;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.BlockHash;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Sessions that take turns on a small engine while their blocks are demoted to a tier, promoted from it, evicted, lost
 * and damaged, and while turns are cancelled and resumed and leases come and go. Every token is compared with what the
 * turn gives undisturbed, and the engine's integrity is checked after every step.
 */
public final class TierSimulation {
    private static final String FINGERPRINT = "simulated";
    private static final int SESSIONS = 5;
    private static final int FAMILIES = 2;
    private static final int MAX_DRAIN_STEPS = 20_000;

    private final Random random;
    private final Engine engine;
    private final TestingReference reference;
    private final TestingTier tier;
    private final boolean garbles;
    private final int loadsOfStep;
    private final AtomicLong clockNanos = new AtomicLong(1_000_000_000_000L);
    private final int vocabSize;
    private final List<Session> sessions = new ArrayList<>();
    private final List<HeldBlocks> held = new ArrayList<>();
    private final List<StepOutput> unacknowledged = new ArrayList<>();
    private EngineLease lease;
    private boolean leaseEnded;
    private int turnNumber;
    private @Nullable AssertionError failure;
    private Counts counts = new Counts(0, 0, 0, 0, 0, 0, 0);

    /**
     * What happened, to see that it did.
     *
     * @param turns turns that came to their ends
     * @param cancelled turns that were cancelled
     * @param lostLeases turns whose lease was closed under them
     * @param loadedTokens tokens that were loaded
     * @param earlyEnds loads that brought less than they promised
     * @param preemptions sequences that lost their blocks
     * @param evictedBlocks findable blocks that were reused
     */
    public record Counts(
            int turns,
            int cancelled,
            int lostLeases,
            long loadedTokens,
            int earlyEnds,
            long preemptions,
            long evictedBlocks) {
        /** Both together. */
        public Counts plus(Counts other) {
            return new Counts(
                    turns + other.turns,
                    cancelled + other.cancelled,
                    lostLeases + other.lostLeases,
                    loadedTokens + other.loadedTokens,
                    earlyEnds + other.earlyEnds,
                    preemptions + other.preemptions,
                    evictedBlocks + other.evictedBlocks);
        }
    }

    /**
     * A simulation on an instance.
     *
     * @param instance closed at the end
     * @param options limits and retention; the clock is the simulation's own
     * @param reference of the same model, with room for as many tokens
     * @param garbles whether blocks are changed in the tier so that it does not notice: then outputs are wrong
     */
    public TierSimulation(
            Random random, ModelInstance instance, EngineOptions options, TestingReference reference, boolean garbles) {
        this.random = requireNonNull(random, "random");
        this.reference = requireNonNull(reference, "reference");
        this.garbles = garbles;
        loadsOfStep = 2 + random.nextInt(4);
        engine = new Engine(options.withClock(clockNanos::get), instance, () -> {});
        vocabSize = engine.modelSpec().vocabSize();
        tier = new TestingTier(engine.kvLayout().blockBytes());
        lease = newLease();
        for (int i = 0; i < SESSIONS; i++) {
            sessions.add(new Session("session" + i));
        }
    }

    /** Options for a simulation. */
    public static EngineOptions options(int maxModelTokens) {
        return EngineOptions.of(FINGERPRINT, Set.of(), maxModelTokens);
    }

    /** Runs so many steps, brings everything to its end, and closes the engine. */
    public Counts run(int steps) {
        for (int i = 0; i < steps; i++) {
            disturb();
            sessions.forEach(session -> {
                if (session.turn == null && random.nextInt(3) == 0) {
                    session.begin();
                }
            });
            if (random.nextInt(3) > 0) {
                acknowledge();
            }
            step();
        }
        for (int i = 0; sessions.stream().anyMatch(session -> session.turn != null); i++) {
            check(i < MAX_DRAIN_STEPS, "turns come to their ends: " + sessions + ", " + engine.stats());
            tier.loadAll();
            held.forEach(HeldBlocks::close);
            held.clear();
            acknowledge();
            step();
        }
        while (tier.loadAll()) {
            step();
        }
        // Holds that were asked for last come in one step more.
        step();
        held.forEach(HeldBlocks::close);
        step();
        EngineStats stats = engine.stats();
        check(stats.blocks().usedBlocks() == 0 && stats.heldBlocks() == 0, "no block is used at the end: " + stats);
        engine.close();
        engine.checkIntegrity();
        return counts.plus(new Counts(
                0,
                0,
                0,
                stats.loadedTokens(),
                tier.earlyEnds(),
                stats.preemptions(),
                stats.blocks().evictedBlocks()));
    }

    private void step() {
        engine.doWork();
        if (failure != null) {
            throw failure;
        }
        engine.checkIntegrity();
        // Now and then long enough for a lease to count as stalled.
        clockNanos.addAndGet(random.nextInt(40) == 0 ? 1_500_000_000L : 20_000_000L);
    }

    private void disturb() {
        if (random.nextInt(3) == 0) {
            anySession().demote();
        }
        if (!held.isEmpty() && random.nextBoolean()) {
            finishHold(held.remove(random.nextInt(held.size())));
        }
        for (int i = random.nextInt(loadsOfStep); i > 0; i--) {
            tier.loadSome(random);
        }
        if (random.nextInt(20) == 0) {
            tier.lose(random);
        }
        if (random.nextInt(20) == 0) {
            tier.damage(random);
        }
        if (garbles && random.nextInt(5) == 0) {
            tier.garble(random);
        }
        if (random.nextInt(12) == 0) {
            anySession().cancel();
        }
        if (random.nextInt(150) == 0) {
            swapLease();
        }
    }

    private void finishHold(HeldBlocks hold) {
        if (random.nextInt(5) == 0) {
            hold.close();
            return;
        }
        try {
            tier.save(hold);
        } catch (IllegalStateException e) {
            check(leaseEnded, "held blocks can be read as long as their lease lasts: " + e);
            hold.close();
        }
    }

    /** As when a task fails: nothing is said of its turns any more, and another comes. */
    private void swapLease() {
        lease.close();
        leaseEnded = true;
        unacknowledged.clear();
        for (Session session : sessions) {
            if (session.turn != null) {
                session.interrupt();
                counts = counts.plus(new Counts(0, 0, 1, 0, 0, 0, 0));
            }
        }
        lease = newLease();
    }

    private EngineLease newLease() {
        return engine.lease(
                "lease",
                output -> {
                    unacknowledged.add(output);
                    try {
                        output.events().forEach(this::onEvent);
                    } catch (AssertionError e) {
                        // The engine would not let it through.
                        failure = e;
                    }
                },
                1 + random.nextInt(2));
    }

    private void acknowledge() {
        unacknowledged.forEach(lease::acknowledge);
        unacknowledged.clear();
    }

    private void onEvent(SequenceEvent event) {
        for (Session session : sessions) {
            Turn turn = session.turn;
            if (turn != null && turn.id.equals(event.sequenceId())) {
                session.onEvent(turn, event);
                return;
            }
        }
        throw new AssertionError("an event of no turn: " + event);
    }

    private Session anySession() {
        return sessions.get(random.nextInt(sessions.size()));
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("it should hold that " + what);
        }
    }

    /** A turn in the engine, and how far it is. */
    private static final class Turn {
        final String id;
        final int[] prompt;
        final SamplingParameters sampling;
        final List<Integer> expected;
        final boolean prefill;
        int outputTokens;
        boolean cancelled;

        Turn(
                String id,
                int[] prompt,
                SamplingParameters sampling,
                List<Integer> expected,
                int outputTokens,
                boolean prefill) {
            this.id = id;
            this.prompt = prompt;
            this.sampling = sampling;
            this.expected = expected;
            this.outputTokens = outputTokens;
            this.prefill = prefill;
        }

        /** The prompt and the output so far. */
        int[] tokens() {
            int[] tokens = Arrays.copyOf(prompt, prompt.length + outputTokens);
            for (int i = 0; i < outputTokens; i++) {
                tokens[prompt.length + i] = expected.get(i);
            }
            return tokens;
        }

        int[] generated() {
            return Arrays.copyOfRange(tokens(), prompt.length, prompt.length + outputTokens);
        }
    }

    private final class Session {
        final String id;
        int[] log = new int[0];

        @Nullable
        Turn turn;

        @Nullable
        Turn interrupted;

        Session(String id) {
            this.id = id;
        }

        void begin() {
            Turn before = interrupted;
            interrupted = null;
            boolean prefill = random.nextInt(5) == 0;
            Turn next;
            if (before != null && before.outputTokens < before.expected.size() && random.nextInt(4) > 0) {
                next = newTurn(before.prompt, before.sampling, before.expected, before.outputTokens, prefill);
            } else {
                int[] prompt = nextPrompt();
                SamplingParameters sampling = sampling(engine.maxSequenceTokens() - prompt.length);
                next = newTurn(prompt, sampling, reference.output(prompt, sampling), 0, prefill);
            }
            submit(next);
        }

        private void submit(Turn next) {
            List<BlockHash> chain =
                    TestingTier.chain(engine.blockSizeTokens(), engine.blockIdentity(), "", next.tokens());
            Admission admission = lease.submit(new SequenceRequest(
                    next.id,
                    id,
                    next.prefill ? Purpose.PREFILL : Purpose.GENERATE,
                    next.prompt,
                    next.generated(),
                    next.sampling,
                    "",
                    random.nextInt(3),
                    clockNanos.get(),
                    StopCondition.NEVER,
                    random.nextInt(10) == 0 ? null : tier.source(chain)));
            check(admission == Admission.ACCEPTED || admission == Admission.REJECTED_QUEUE_FULL, "it is " + admission);
            turn = admission == Admission.ACCEPTED ? next : null;
        }

        private Turn newTurn(
                int[] prompt, SamplingParameters sampling, List<Integer> expected, int outputTokens, boolean prefill) {
            return new Turn("turn" + turnNumber++, prompt, sampling, expected, outputTokens, prefill);
        }

        private int[] nextPrompt() {
            int most = engine.maxSequenceTokens() * 3 / 4;
            int added = 1 + random.nextInt(6);
            if (log.length + added > most || random.nextInt(8) == 0) {
                // The sessions of a family begin alike.
                Random family = new Random(random.nextInt(FAMILIES));
                log = family.ints(Math.max(0, most - 6), 0, vocabSize)
                        .limit(random.nextInt(most + 1))
                        .toArray();
            }
            int[] prompt = Arrays.copyOf(log, Math.min(log.length + added, Math.max(most, 1)));
            for (int i = Math.min(log.length, prompt.length); i < prompt.length; i++) {
                prompt[i] = random.nextInt(vocabSize);
            }
            return prompt;
        }

        private SamplingParameters sampling(int maxTokens) {
            return new SamplingParameters(
                    1 + random.nextInt(Math.min(30, maxTokens)),
                    random.nextBoolean() ? 0 : 1.5f,
                    0,
                    1,
                    0,
                    random.nextBoolean() ? 1 : 1.3f,
                    0,
                    0,
                    Map.of(),
                    Set.of(random.nextInt(vocabSize)),
                    random.nextLong(),
                    true,
                    0);
        }

        void demote() {
            int[] tokens = turn == null ? log : turn.tokens();
            List<BlockHash> chain = TestingTier.chain(engine.blockSizeTokens(), engine.blockIdentity(), "", tokens);
            int from = random.nextInt(3) > 0 ? 0 : random.nextInt(chain.size() + 1);
            lease.hold(chain.subList(from, chain.size()), held::add);
        }

        void cancel() {
            if (turn != null) {
                turn.cancelled = true;
                lease.cancel(turn.id);
            }
        }

        void interrupt() {
            interrupted = turn;
            turn = null;
        }

        void onEvent(Turn now, SequenceEvent event) {
            if (event instanceof SequenceEvent.Token token) {
                check(token.offset() == now.outputTokens, "offset " + now.outputTokens + " is next: " + event);
                check(now.outputTokens < now.expected.size(), "the turn goes on with " + event);
                check(
                        token.tokenId() == now.expected.get(now.outputTokens),
                        "token " + token.offset() + " of " + now.id + " is " + now.expected.get(now.outputTokens)
                                + ", not " + token.tokenId());
                now.outputTokens++;
            } else if (event instanceof SequenceEvent.Finished end) {
                boolean whole = end.outputTokens() == now.expected.size();
                check(end.outputTokens() == now.outputTokens, "the end counts the tokens: " + end);
                check(whole || now.cancelled, "the turn has not ended yet: " + end);
                end(now, whole);
            } else if (event instanceof SequenceEvent.Prefilled end) {
                int size = engine.blockSizeTokens();
                int blocks = (now.prompt.length + now.outputTokens - 1) / size;
                check(end.cachedTokens() + end.computedTokens() == blocks * size, "whole blocks are prefilled: " + end);
                end(now, false);
            } else {
                throw new AssertionError("a turn fails: " + event);
            }
        }

        private void end(Turn now, boolean whole) {
            log = now.tokens();
            interrupt();
            if (random.nextBoolean()) {
                demote();
            }
            counts = counts.plus(new Counts(whole || now.prefill ? 1 : 0, now.cancelled ? 1 : 0, 0, 0, 0, 0, 0));
        }

        @Override
        public String toString() {
            return id + (turn == null ? " is idle" : " has " + turn.id);
        }
    }
}
