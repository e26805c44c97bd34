package io.millrace.operators.tiers;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.engine.EngineOptions;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StepOutput;
import io.millrace.engine.StopCondition;
import io.millrace.engine.testing.TestingListener;
import io.millrace.engine.testing.TestingLogits;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.kv.KvBlockLayout;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.kv.host.HostTier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Turns of sessions over an engine of the model without weights, whose every step, mail and job is done by the test's
 * thread. What state holds outlives the engine: see {@link #restart}.
 */
final class TestingSessions implements AutoCloseable {
    static final int BLOCK_TOKENS = 4;

    private static final int DEVICE_BLOCKS = 64;
    private static final KvBlockLayout PLAIN = new KvBlockLayout(1, 1, 1, BLOCK_TOKENS);

    final TestingTaskThread task = new TestingTaskThread();
    final TestingKeyedState state = new TestingKeyedState(task);
    final TestingBlockStore store = new TestingBlockStore(task);
    final Map<SessionPlacement, Long> timers = new HashMap<>();
    private final TierSettings settings;
    private final boolean hasStore;
    private final int hostSlots;
    private TestingListener listener = new TestingListener();
    private Engine engine;
    private EngineLease lease;
    private @Nullable HostTier host;
    private TierParts parts;
    private SessionTiers tiers;
    private long attempt = -1;
    private int sequences;
    private KvBlockLayout layout = PLAIN;

    TestingSessions(TierSettings settings, boolean hasStore, int hostSlots) {
        this.settings = settings;
        this.hasStore = hasStore;
        this.hostSlots = hostSlots;
        open();
    }

    /** One turn as its user sees it. */
    final class Turn {
        final SessionPlacement session;
        final int[] prompt;
        final String sequenceId = "t" + sequences++;
        final TurnBlocks blocks;
        private final int maxTokens;

        Turn(SessionPlacement session, int[] prompt, int maxTokens) throws Exception {
            this.session = session;
            this.prompt = prompt;
            this.maxTokens = maxTokens;
            task.setCurrentKey(session);
            blocks = tiers.begin(session, "", prompt, this::generated);
            int head = tiers.headBlocks(blocks);
            if (head > 0) {
                submit("h" + sequenceId, Arrays.copyOf(prompt, head * BLOCK_TOKENS + 1), true);
                settle();
            }
            submit(sequenceId, prompt, false);
        }

        private void submit(String id, int[] tokens, boolean prefill) {
            lease.submit(new SequenceRequest(
                    id,
                    session.sessionId(),
                    prefill ? SequenceRequest.Purpose.PREFILL : SequenceRequest.Purpose.GENERATE,
                    tokens,
                    new int[0],
                    SamplingParameters.greedy(maxTokens),
                    "",
                    0,
                    0,
                    StopCondition.NEVER,
                    tiers.prefixSource(blocks)));
        }

        int[] generated() {
            return listener.tokens(sequenceId).stream().mapToInt(token -> token).toArray();
        }

        void end() throws Exception {
            task.setCurrentKey(session);
            tiers.ended(blocks, generated());
        }
    }

    Turn begin(SessionPlacement session, int[] prompt, int maxTokens) throws Exception {
        return new Turn(session, prompt, maxTokens);
    }

    /** A whole turn, and all that comes of it. Returns its prompt and output. */
    int[] turn(SessionPlacement session, int[] prompt, int maxTokens) throws Exception {
        Turn turn = begin(session, prompt, maxTokens);
        settle();
        turn.end();
        settle();
        int[] generated = turn.generated();
        assertThat(generated).isEqualTo(expected(prompt, maxTokens));
        int[] all = Arrays.copyOf(prompt, prompt.length + generated.length);
        System.arraycopy(generated, 0, all, prompt.length, generated.length);
        return all;
    }

    /** What an engine that has seen nothing answers. */
    static int[] expected(int[] prompt, int maxTokens) {
        TestingListener alone = new TestingListener();
        Engine fresh = newEngine(PLAIN);
        EngineLease freshLease = fresh.lease("alone", alone, 1000);
        freshLease.submit(new SequenceRequest(
                "s",
                "s",
                SequenceRequest.Purpose.GENERATE,
                prompt,
                new int[0],
                SamplingParameters.greedy(maxTokens),
                "",
                0,
                0,
                StopCondition.NEVER,
                null));
        while (fresh.doWork() > 0) {
            // doWork did it
        }
        int[] tokens = alone.tokens("s").stream().mapToInt(token -> token).toArray();
        freshLease.close();
        fresh.close();
        return tokens;
    }

    /** Does steps, mails and jobs until there are none. */
    void settle() throws Exception {
        boolean worked = true;
        while (worked) {
            worked = engine.doWork() > 0 || task.runOne() || parts.doOne();
            for (StepOutput output : listener.takeOutputs()) {
                lease.acknowledge(output);
            }
        }
    }

    /** A new attempt on an engine that has seen nothing, on the state as it is. */
    void restart() throws Exception {
        closeAttempt();
        attempt++;
        open();
        tiers.restore(state.sessions());
    }

    /** As above, on an engine that lays its blocks out in another way. */
    void restart(KvBlockLayout other) throws Exception {
        layout = other;
        restart();
    }

    SessionTiers tiers() {
        return tiers;
    }

    TierCounters counters() {
        return parts.counters();
    }

    SessionCatalog catalog() {
        return parts.catalog();
    }

    Engine engine() {
        return engine;
    }

    @Nullable
    HostTier host() {
        return host;
    }

    /** Prompt tokens that the engine computed. */
    long computedTokens() {
        return engine.stats().promptTokens();
    }

    long loadedTokens() {
        return engine.stats().loadedTokens();
    }

    /** The keys of the values that a session's manifests name. */
    List<Long> namedKeys(SessionPlacement session) {
        List<Long> keys = new ArrayList<>();
        state.runs(session).stream().filter(run -> !run.getShared()).forEach(run -> {
            for (int i = 0; i < BlockRuns.count(run); i++) {
                keys.add(run.getFirstKey() + i);
            }
        });
        return keys;
    }

    @Override
    public void close() throws Exception {
        settle();
        engine.checkIntegrity();
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
        for (SessionPlacement session : state.sessions()) {
            assertThat(store.values(session).keySet()).containsExactlyInAnyOrderElementsOf(namedKeys(session));
        }
        closeAttempt();
    }

    private void open() {
        listener = new TestingListener();
        engine = newEngine(layout);
        lease = engine.lease("decode", listener, 1000);
        host = hostSlots == 0 ? null : host(hostSlots);
        parts = new TierParts(new TierBase(
                settings,
                state.open(),
                task,
                timeMs -> timers.put(task.currentKey(), timeMs),
                lease,
                hasStore ? store : null,
                host,
                attempt,
                Thread::new,
                System::nanoTime));
        tiers = new SessionTiers(parts);
    }

    private HostTier host(int slots) {
        return SaveQueueTest.host(slots, Math.toIntExact(engine.kvLayout().blockBytes()));
    }

    private void closeAttempt() {
        tiers.close();
        lease.close();
        engine.doWork();
        engine.close();
    }

    private static Engine newEngine(KvBlockLayout layout) {
        EngineOptions options = EngineOptions.of("testing", Set.of(), 200).withLimits(64, 8, 64);
        return new Engine(
                options,
                new TestingModelInstance(TestingModelInstance.VOCAB_SIZE, DEVICE_BLOCKS, layout, TestingLogits.HASHED),
                () -> {});
    }
}
