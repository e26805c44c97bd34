package io.millrace.engine;

import static io.millrace.engine.testing.TestingRequests.generate;
import static io.millrace.engine.testing.TestingRequests.prompt;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.engine.SequenceEvent.Finished;
import io.millrace.engine.testing.TestingListener;
import io.millrace.engine.testing.TestingLogits;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.engine.testing.TestingTier;
import io.millrace.kv.BlockHash;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The engine on its own thread, with others that copy blocks beside it. */
@Timeout(120)
class TierThreadTest {
    private static final int VOCAB = 1000;
    private static final int BLOCK_SIZE = 4;
    private static final int BLOCKS = 40;
    private static final int USERS = 4;

    private final AtomicReference<Thread> thread = new AtomicReference<>();
    private final TestingModelInstance instance =
            new TestingModelInstance(VOCAB, BLOCKS, BLOCK_SIZE, TestingLogits.HASHED);
    private final Engine engine =
            new Engine(EngineOptions.of("testing", Set.of(), 100).withLimits(32, 8, 16), instance, () -> {});
    private final TestingTier tier = new TestingTier(engine.kvLayout().blockBytes());
    private final BlockingQueue<HeldBlocks> holds = new LinkedBlockingQueue<>();
    private final AtomicBoolean ended = new AtomicBoolean();

    @Test
    void othersSaveAndLoadBlocksBesideTheEngine() throws Exception {
        start();
        List<Thread> workers = List.of(worker(this::load), worker(this::load), worker(this::save));
        ExecutorService users = Executors.newFixedThreadPool(USERS);
        try {
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int user = 0; user < USERS; user++) {
                int seed = user;
                tasks.add(() -> {
                    use(seed);
                    return null;
                });
            }
            for (Future<Void> result : users.invokeAll(tasks)) {
                result.get();
            }
        } finally {
            users.shutdownNow();
            ended.set(true);
            for (Thread worker : workers) {
                worker.join();
            }
        }
        while (!holds.isEmpty()) {
            holds.remove().close();
        }
        while (tier.loadAll()) {
            // What leases left behind.
        }
        engine.checkIntegrity();
        EngineStats stats = engine.stats();
        assertThat(stats.loadedTokens()).isPositive();
        assertThat(stats.failedSequences()).isZero();
        engine.close();
        engine.checkIntegrity();
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
    }

    @Test
    void closesWhileOthersSaveAndLoad() throws Exception {
        for (int round = 0; round < 30; round++) {
            TestingModelInstance own = new TestingModelInstance(VOCAB, BLOCKS, BLOCK_SIZE, TestingLogits.HASHED);
            Engine closing =
                    new Engine(EngineOptions.of("testing", Set.of(), 100).withLimits(32, 8, 16), own, () -> {});
            closing.start(Thread::new);
            TestingListener listener = new TestingListener();
            EngineLease lease = closing.lease("test", listener, Integer.MAX_VALUE);
            int[] tokens = prompt(round, 60, VOCAB);
            List<BlockHash> chain = TestingTier.chain(BLOCK_SIZE, "testing", "", tokens);
            lease.submit(generate("a", tokens, SamplingParameters.greedy(1)));
            listener.awaitEnd("a", 30_000);
            AtomicBoolean stop = new AtomicBoolean();
            AtomicReference<LoadTarget> target = new AtomicReference<>();
            Thread copier = new Thread(() -> {
                while (!stop.get()) {
                    lease.hold(chain, this::saveOrClose);
                    Thread.yield();
                }
            });
            copier.start();
            lease.submit(generate(
                    "b", "b", prompt(500 + round, 60, VOCAB), SamplingParameters.greedy(1), new PrefixSource() {
                        @Override
                        public int blocksToLoad(int firstBlock, int endBlock) {
                            return endBlock - firstBlock;
                        }

                        @Override
                        public void load(int firstBlock, LoadTarget loadTarget) {
                            target.set(loadTarget);
                        }
                    }));
            while (target.get() == null) {
                Thread.onSpinWait();
            }
            // The load never ends by itself, and yet the engine does.
            closing.close();
            assertThat(listener.lastEvent("b")).isInstanceOf(SequenceEvent.Failed.class);
            assertThat(target.get().isWanted()).isFalse();
            target.get().done(0);
            stop.set(true);
            copier.join();
            closing.checkIntegrity();
            assertThat(closing.stats().blocks().usedBlocks()).isZero();
        }
    }

    @Test
    void anEngineWithNothingButLoadsUsesNoProcessorAndWakesAtTheirEnd() throws Exception {
        start();
        TestingListener listener = new TestingListener();
        EngineLease lease = engine.lease("test", listener, Integer.MAX_VALUE);
        int[] tokens = prompt(0, 30, VOCAB);
        AtomicReference<LoadTarget> target = new AtomicReference<>();
        lease.submit(generate("a", "a", tokens, SamplingParameters.greedy(1), new PrefixSource() {
            @Override
            public int blocksToLoad(int firstBlock, int endBlock) {
                return endBlock - firstBlock;
            }

            @Override
            public void load(int firstBlock, LoadTarget loadTarget) {
                target.set(loadTarget);
            }
        }));
        while (target.get() == null || thread.get().getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
        long before = cpuNanos();
        TimeUnit.MILLISECONDS.sleep(300);
        assertThat(cpuNanos() - before).isLessThan(50_000_000);
        assertThat(listener.events("a")).isEmpty();
        target.get().done(0);
        listener.awaitEnd("a", 30_000);
        engine.close();
        assertThat(thread.get().isAlive()).isFalse();
    }

    private long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getThreadCpuTime(thread.get().getId());
    }

    private void start() {
        engine.start(task -> {
            Thread created = new Thread(task, "engine-test");
            thread.set(created);
            return created;
        });
    }

    private Thread worker(Runnable task) {
        Thread worker = new Thread(() -> {
            while (!ended.get()) {
                task.run();
            }
        });
        worker.start();
        return worker;
    }

    private void load() {
        if (!tier.loadAll()) {
            Thread.yield();
        }
    }

    private void save() {
        try {
            HeldBlocks hold = holds.poll(1, TimeUnit.MILLISECONDS);
            if (hold != null) {
                saveOrClose(hold);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void saveOrClose(HeldBlocks hold) {
        try {
            tier.save(hold);
        } catch (IllegalStateException e) {
            // Its lease or the engine ended meanwhile.
            hold.close();
        }
    }

    /** Takes turns of a session whose context grows, compared with what they give alone. */
    private void use(int seed) throws InterruptedException {
        Random random = new Random(seed);
        TestingModelInstance alone = new TestingModelInstance(VOCAB, 60, BLOCK_SIZE, TestingLogits.HASHED);
        Engine undisturbed = new Engine(EngineOptions.of("alone", Set.of(), 100), alone, () -> {});
        TestingListener expected = new TestingListener();
        EngineLease aloneLease = undisturbed.lease("alone", expected, Integer.MAX_VALUE);
        TestingListener listener = new TestingListener();
        try (EngineLease lease = engine.lease("user" + seed, listener, Integer.MAX_VALUE)) {
            for (int turn = 0; turn < 120; turn++) {
                String id = "t" + turn;
                int[] tokens = prompt(random.nextInt(3) * 100, 10 + random.nextInt(60), VOCAB);
                SamplingParameters sampling = SamplingParameters.greedy(1 + random.nextInt(20));
                aloneLease.submit(generate(id, tokens, sampling));
                while (undisturbed.doWork() > 0) {
                    // Until it has ended.
                }
                List<BlockHash> chain = TestingTier.chain(BLOCK_SIZE, "testing", "", tokens);
                while (lease.submit(generate(id, "user" + seed, tokens, sampling, tier.source(chain)))
                        != Admission.ACCEPTED) {
                    Thread.yield();
                }
                boolean cancels = random.nextInt(5) == 0;
                if (cancels) {
                    lease.cancel(id);
                }
                lease.hold(chain, holds::add);
                if (random.nextInt(10) == 0) {
                    tier.damage(random);
                    tier.lose(random);
                }
                listener.awaitEnd(id, 60_000);
                List<Integer> output = listener.tokens(id);
                assertThat(output).isEqualTo(expected.tokens(id).subList(0, output.size()));
                assertThat(((Finished) listener.lastEvent(id)).reason() == FinishReason.LENGTH || cancels)
                        .isTrue();
                lease.hold(chain, holds::add);
            }
        }
        undisturbed.close();
    }
}
