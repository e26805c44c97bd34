package io.millrace.engine;

import static io.millrace.engine.testing.TestingRequests.generate;
import static io.millrace.engine.testing.TestingRequests.prompt;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.SequenceEvent.Failed;
import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.engine.SequenceEvent.Finished;
import io.millrace.engine.backend.DeviceLostException;
import io.millrace.engine.testing.TestingListener;
import io.millrace.engine.testing.TestingLogits;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.NoRetention;
import io.millrace.kv.RetentionOrder;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class EngineThreadTest {
    private static final int VOCAB = 1000;

    private final AtomicReference<Thread> thread = new AtomicReference<>();
    private final TestingModelInstance instance = new TestingModelInstance(VOCAB, 64, 4, TestingLogits.counting());
    private final Engine engine =
            new Engine(EngineOptions.of("testing", Set.of(), 200).withLimits(32, 8, 16), instance, () -> {});

    private void start() {
        engine.start(task -> {
            Thread created = new Thread(task, "engine-test");
            thread.set(created);
            return created;
        });
    }

    @AfterEach
    void closeEndsTheThread() {
        engine.close();
        if (thread.get() != null) {
            assertThat(thread.get().isAlive()).isFalse();
        }
        engine.checkIntegrity();
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
        assertThat(instance.isClosed()).isTrue();
    }

    @Test
    void manyThreadsSubmitAndCancel() throws Exception {
        start();
        int users = 6;
        ExecutorService executor = Executors.newFixedThreadPool(users);
        try {
            List<Callable<Void>> tasks = new ArrayList<>();
            for (int user = 0; user < users; user++) {
                int number = user;
                tasks.add(() -> {
                    use(number);
                    return null;
                });
            }
            for (Future<Void> result : executor.invokeAll(tasks)) {
                result.get();
            }
        } finally {
            executor.shutdownNow();
        }
        engine.checkIntegrity();
        assertThat(engine.stats().failedSequences()).isZero();
        assertThat(engine.stats().runningSequences()).isZero();
    }

    private void use(int user) throws InterruptedException {
        Random random = new Random(user);
        TestingListener listener = new TestingListener();
        EngineLease[] holder = new EngineLease[1];
        try (EngineLease lease = engine.lease(
                "user" + user,
                output -> {
                    listener.onStep(output);
                    holder[0].acknowledge(output);
                },
                1 + random.nextInt(3))) {
            holder[0] = lease;
            for (int i = 0; i < 60; i++) {
                String id = "s" + i;
                int from = random.nextInt(VOCAB);
                int count = 1 + random.nextInt(20);
                boolean cancels = random.nextInt(4) == 0;
                while (lease.submit(generate(id, prompt(from, 12, VOCAB), SamplingParameters.greedy(count)))
                        != Admission.ACCEPTED) {
                    Thread.yield();
                }
                if (cancels) {
                    lease.cancel(id);
                }
                if (i % 7 == 0) {
                    engine.checkIntegrity();
                }
                listener.awaitEnd(id, 30_000);
                List<Integer> tokens = listener.tokens(id);
                for (int t = 0; t < tokens.size(); t++) {
                    assertThat(tokens.get(t)).isEqualTo((from + 12 + t) % VOCAB);
                }
                Finished end = (Finished) listener.lastEvent(id);
                assertThat(end.outputTokens()).isEqualTo(tokens.size());
                assertThat(end.reason() == FinishReason.LENGTH || cancels).isTrue();
                assertThat(end.reason() == FinishReason.LENGTH).isEqualTo(tokens.size() == count);
            }
        }
    }

    @Test
    void theListenerIsNotCalledOnceCloseHasReturned() throws Exception {
        start();
        for (int round = 0; round < 50; round++) {
            boolean[] closed = new boolean[1];
            boolean[] calledLate = new boolean[1];
            CountDownLatch called = new CountDownLatch(1);
            EngineLease lease = engine.lease(
                    "lease" + round,
                    output -> {
                        calledLate[0] |= closed[0];
                        called.countDown();
                    },
                    1000);
            lease.submit(generate("s", prompt(round, 5, VOCAB), SamplingParameters.greedy(150)));
            called.await();
            lease.close();
            closed[0] = true;
            engine.checkIntegrity();
            assertThat(calledLate[0]).isFalse();
        }
        engine.checkIntegrity();
    }

    @Test
    void closingWhileOthersSubmitLeavesNobodyWithoutAnAnswer() throws Exception {
        start();
        TestingListener listener = new TestingListener();
        EngineLease lease = engine.lease("test", listener, Integer.MAX_VALUE);
        List<String> accepted = new ArrayList<>();
        Thread submitter = new Thread(() -> {
            for (int i = 0; ; i++) {
                Admission admission =
                        lease.submit(generate("s" + i, prompt(i, 9, VOCAB), SamplingParameters.greedy(30)));
                if (admission == Admission.REJECTED_CLOSED) {
                    return;
                }
                if (admission == Admission.ACCEPTED) {
                    accepted.add("s" + i);
                }
            }
        });
        submitter.start();
        while (engine.stats().stepCount() < 50) {
            Thread.onSpinWait();
        }
        engine.close();
        submitter.join();
        assertThat(accepted)
                .isNotEmpty()
                .allSatisfy(id -> assertThat(listener.hasEnded(id)).isTrue());
    }

    @Test
    void anIdleEngineUsesNoProcessor() throws Exception {
        start();
        TestingListener listener = new TestingListener();
        EngineLease lease = engine.lease("test", listener, 1);
        lease.submit(generate("s", prompt(0, 5, VOCAB), SamplingParameters.greedy(9)));
        while (thread.get().getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
        // Parked behind an output that nobody has acknowledged; an interrupt does not change that.
        thread.get().interrupt();
        long id = thread.get().getId();
        long before = ManagementFactory.getThreadMXBean().getThreadCpuTime(id);
        TimeUnit.MILLISECONDS.sleep(300);
        long usedNanos = ManagementFactory.getThreadMXBean().getThreadCpuTime(id) - before;
        assertThat(usedNanos).isLessThan(50_000_000);
        assertThat(listener.tokens("s")).hasSize(1);

        while (!listener.hasEnded("s")) {
            listener.takeOutputs().forEach(lease::acknowledge);
        }
        assertThat(listener.tokens("s")).hasSize(9);
        lease.close();
    }

    @Test
    void aDefectOfTheEngineItselfFailsItsSequencesAndEndsIt() throws Exception {
        TestingModelInstance otherInstance = new TestingModelInstance(VOCAB, 8, 4, TestingLogits.counting());
        EngineOptions options = EngineOptions.of("testing", Set.of(), 30).withRetention(DefectiveRetention::new);
        Engine defective = new Engine(options, otherInstance, () -> {});
        TestingListener listener = new TestingListener();
        EngineLease lease = defective.lease("test", listener, 1000);
        lease.submit(generate("s", prompt(0, 5, VOCAB), SamplingParameters.greedy(20)));
        defective.start(Thread::new);
        listener.awaitEnd("s", 30_000);

        assertThat(listener.tokens("s")).hasSize(4);
        assertThat(listener.lastEvent("s"))
                .isEqualTo(new Failed(
                        "s", ErrorCode.INTERNAL, "the engine failed: java.lang.IllegalStateException: a defect"));
        assertThat(defective.isClosed()).isTrue();
        assertThat(lease.submit(generate("t", prompt(0, 5, VOCAB), SamplingParameters.greedy(1))))
                .isEqualTo(Admission.REJECTED_CLOSED);
        defective.close();
        defective.checkIntegrity();
        assertThat(otherInstance.isClosed()).isTrue();
    }

    @Test
    void aLostDeviceEndsTheEngineAndFailsAllThatItHas() throws Exception {
        TestingModelInstance lost = new TestingModelInstance(VOCAB, 64, 4, TestingLogits.counting());
        lost.observe(batch -> {
            if (batch.positions[0] == 7) {
                throw new DeviceLostException("device 0 is lost, on purpose");
            }
        });
        Engine engineOfIt = new Engine(EngineOptions.of("testing", Set.of(), 30), lost, () -> {});
        TestingListener listener = new TestingListener();
        EngineLease lease = engineOfIt.lease("test", listener, 1000);
        lease.submit(generate("s", prompt(0, 5, VOCAB), SamplingParameters.greedy(20)));
        lease.submit(generate("t", prompt(9, 3, VOCAB), SamplingParameters.greedy(20)));
        engineOfIt.start(Thread::new);
        listener.awaitEnd("s", 30_000);
        listener.awaitEnd("t", 30_000);

        for (String id : List.of("s", "t")) {
            assertThat(listener.tokens(id)).hasSize(3);
            assertThat(listener.lastEvent(id))
                    .isInstanceOfSatisfying(
                            Failed.class,
                            failed -> assertThat(failed.message())
                                    .startsWith("the engine failed: ")
                                    .endsWith("device 0 is lost, on purpose"));
        }
        assertThat(engineOfIt.isClosed()).isTrue();
        engineOfIt.close();
        engineOfIt.checkIntegrity();
        assertThat(lost.isClosed()).isTrue();
    }

    /** Gives two blocks, and then breaks. */
    private static final class DefectiveRetention implements RetentionOrder {
        private final RetentionOrder order;
        private int given;

        DefectiveRetention(int blockCount) {
            order = new NoRetention(blockCount);
        }

        @Override
        public boolean keepsContent() {
            return order.keepsContent();
        }

        @Override
        public void add(int blockId, boolean findable) {
            order.add(blockId, findable);
        }

        @Override
        public void remove(int blockId) {
            order.remove(blockId);
        }

        @Override
        public int removeNext() {
            if (given == 2) {
                throw new IllegalStateException("a defect");
            }
            given++;
            return order.removeNext();
        }

        @Override
        public boolean contains(int blockId) {
            return order.contains(blockId);
        }

        @Override
        public int size() {
            return order.size();
        }

        @Override
        public void checkIntegrity() {
            order.checkIntegrity();
        }
    }
}
