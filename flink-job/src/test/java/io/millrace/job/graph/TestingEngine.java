package io.millrace.job.graph;

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
import io.millrace.kv.KvElementType;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Engines over a model without weights, and what they answer when they have nothing else to do. */
final class TestingEngine {
    static final int BLOCK_SIZE_TOKENS = 16;
    static final int MAX_TURN_TOKENS = 2048;

    private TestingEngine() {}

    /** A started engine. */
    static Engine started(TestingModelInstance instance, int queueCapacity) {
        EngineOptions options =
                EngineOptions.of("testing", Set.of(), MAX_TURN_TOKENS).withLimits(256, 32, queueCapacity);
        Engine engine = new Engine(options, instance, () -> {});
        engine.start(run -> {
            Thread thread = new Thread(run, "testing-engine");
            thread.setDaemon(true);
            return thread;
        });
        return engine;
    }

    /** A model of so many blocks. */
    static TestingModelInstance instance(int blockCount) {
        return new TestingModelInstance(blockCount, BLOCK_SIZE_TOKENS);
    }

    /** A model of so many blocks, each as large, that lays them out in another way. */
    static TestingModelInstance otherInstance(int blockCount) {
        KvBlockLayout layout = new KvBlockLayout(1, 1, 2, BLOCK_SIZE_TOKENS, KvElementType.BF16, "other/1");
        return new TestingModelInstance(TestingModelInstance.VOCAB_SIZE, blockCount, layout, TestingLogits.HASHED);
    }

    /** A model whose steps take at least so long. */
    static TestingModelInstance slowInstance(int blockCount, long stepMicros) {
        TestingModelInstance instance = instance(blockCount);
        instance.observe(batch -> LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(stepMicros)));
        return instance;
    }

    /** Steps of a model that stand still while it is closed. */
    static final class StepGate {
        private boolean open = true;
        private boolean stepWaits;

        StepGate(TestingModelInstance instance) {
            instance.observe(batch -> pass());
        }

        synchronized void open() {
            open = true;
            notifyAll();
        }

        synchronized void close() {
            open = false;
        }

        /** Waits until a step stands still. */
        synchronized void awaitStep() throws InterruptedException {
            while (!stepWaits) {
                wait();
            }
        }

        private synchronized void pass() {
            try {
                while (!open) {
                    stepWaits = true;
                    notifyAll();
                    wait();
                }
                stepWaits = false;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    /** Computes one sequence at a time, with nothing else in the batch and nothing cached. */
    static final class Alone implements AutoCloseable {
        private final TestingListener listener = new TestingListener();
        private final Engine engine;
        private final EngineLease lease;
        private final AtomicInteger count = new AtomicInteger();

        Alone() {
            EngineOptions options = EngineOptions.of("testing", Set.of(), MAX_TURN_TOKENS);
            engine = new Engine(options, instance(256), () -> {});
            lease = engine.lease("alone", listener, 4);
        }

        /** The greedy output of a prompt. */
        List<Integer> tokens(int[] prompt, int maxTokens) {
            String id = "alone-" + count.incrementAndGet();
            // A salt of its own: nothing of what came before is found.
            lease.submit(new SequenceRequest(
                    id,
                    id,
                    SequenceRequest.Purpose.GENERATE,
                    prompt,
                    new int[0],
                    SamplingParameters.greedy(maxTokens),
                    id,
                    0,
                    0,
                    StopCondition.NEVER,
                    null));
            while (engine.doWork() > 0) {
                for (StepOutput output : listener.takeOutputs()) {
                    lease.acknowledge(output);
                }
            }
            return listener.tokens(id);
        }

        @Override
        public void close() {
            lease.close();
            engine.close();
        }
    }
}
