package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Admission;
import io.millrace.engine.EngineLease;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StepOutput;
import io.millrace.engine.StopCondition;
import io.millrace.operators.ServedModel;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Takes all KV blocks of an engine from those that are idle, as other sessions would: with as many sequences of a token
 * as there are blocks, all at a time. That is much quicker than to fill the blocks.
 */
final class DeviceFlush implements AutoCloseable {
    private static final int TOKENS = 3;
    private static final int FLUSHES_MAX = 10;
    private static final int UNACKNOWLEDGED_STEPS = 4;
    private static final long LIMIT_SECONDS = 120;

    private final EngineLease lease;
    private final Object lock = new Object();
    private int open;
    private int number;

    DeviceFlush(ServedModel model) {
        lease = model.lease("bench-flush", this::onStep, UNACKNOWLEDGED_STEPS);
    }

    /** Flushes until the device holds nothing of a prompt. */
    void flush(int[] prompt, String salt) throws InterruptedException {
        for (int flush = 0; flush < FLUSHES_MAX; flush++) {
            if (lease.cachedPrefixTokens(prompt, salt) == 0) {
                return;
            }
            takeAll();
        }
        throw new IllegalStateException("the device still holds the prompt's blocks after " + FLUSHES_MAX + " flushes");
    }

    private void takeAll() throws InterruptedException {
        int blocks = lease.engine().stats().blocks().blockCount();
        for (int sequence = 0; sequence < blocks; sequence++) {
            String id = "flush-" + number++;
            synchronized (lock) {
                open++;
            }
            Admission admission = lease.submit(new SequenceRequest(
                    id,
                    id,
                    SequenceRequest.Purpose.GENERATE,
                    new int[] {1},
                    new int[0],
                    new SamplingParameters(TOKENS, 0, 0, 1, 0, 1, 0, 0, Map.of(), Set.of(), 0, true, 0),
                    "flush",
                    0,
                    System.nanoTime(),
                    StopCondition.NEVER,
                    null));
            if (admission != Admission.ACCEPTED) {
                throw new IllegalStateException("the engine refused to be flushed: " + admission);
            }
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        synchronized (lock) {
            while (open > 0) {
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (left <= 0) {
                    throw new IllegalStateException("the device was not flushed within " + LIMIT_SECONDS + " s");
                }
                lock.wait(left);
            }
        }
    }

    private void onStep(StepOutput output) {
        synchronized (lock) {
            for (SequenceEvent event : output.events()) {
                if (event instanceof SequenceEvent.Finished || event instanceof SequenceEvent.Failed) {
                    open--;
                }
            }
            lock.notifyAll();
        }
        requireNonNull(lease, "lease").acknowledge(output);
    }

    @Override
    public void close() {
        lease.close();
    }
}
