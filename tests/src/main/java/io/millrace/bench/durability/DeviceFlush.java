package io.millrace.bench.durability;

import io.millrace.engine.Admission;
import io.millrace.engine.EngineLease;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StepOutput;
import io.millrace.engine.StopCondition;
import io.millrace.operators.ServedModel;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * Takes all KV blocks of an engine from those that are idle, as other sessions would: nearly as many sequences as there
 * are blocks, all at a time, most of them of one token, which is much quicker than to fill the blocks. An engine admits
 * none to its last free blocks; so some sequences are about to grow into a second one.
 */
final class DeviceFlush implements AutoCloseable {
    /** Sequences last until all have their blocks. */
    private static final int TOKENS_MAX = 30;

    private static final int BLOCK_TOKENS = 32;
    /** An engine keeps fewer blocks than one in so many free when it admits. */
    private static final int BLOCKS_PER_GROWING = 32;

    private static final long POLL_MS = 5;
    private static final int UNACKNOWLEDGED_STEPS = 4;
    private static final long LIMIT_SECONDS = 120;

    private final EngineLease lease;
    private final Object lock = new Object();
    private final Set<String> open = new HashSet<>();
    private int number;

    DeviceFlush(ServedModel model) {
        lease = model.lease("bench-flush", this::onStep, UNACKNOWLEDGED_STEPS);
    }

    /** Flushes until the device holds nothing of a prompt. */
    void flush(int[] prompt, String salt) throws InterruptedException {
        int blocks = lease.engine().stats().blocks().blockCount();
        int growing = Math.max(2, 2 * blocks / BLOCKS_PER_GROWING);
        List<String> ids = new ArrayList<>();
        for (int sequence = 0; sequence < blocks - growing / 2; sequence++) {
            ids.add("flush-" + number++);
        }
        synchronized (lock) {
            open.addAll(ids);
        }
        for (int sequence = 0; sequence < ids.size(); sequence++) {
            submit(ids.get(sequence), sequence < growing ? BLOCK_TOKENS - 1 : 1);
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (lease.cachedPrefixTokens(prompt, salt) > 0) {
            synchronized (lock) {
                if (open.isEmpty() || System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("the device still holds blocks of the prompt; of " + ids.size()
                            + " sequences that were to take them " + open.size() + " run");
                }
            }
            Thread.sleep(POLL_MS);
        }
        ids.forEach(lease::cancel);
        synchronized (lock) {
            while (!open.isEmpty()) {
                if (System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("a flush did not end within " + LIMIT_SECONDS + " s");
                }
                lock.wait(POLL_MS);
            }
        }
    }

    private void submit(String id, int tokens) {
        Admission admission = lease.submit(new SequenceRequest(
                id,
                id,
                SequenceRequest.Purpose.GENERATE,
                IntStream.range(1, tokens + 1).toArray(),
                new int[0],
                new SamplingParameters(TOKENS_MAX, 0, 0, 1, 0, 1, 0, 0, Map.of(), Set.of(), 0, true, 0),
                id,
                0,
                System.nanoTime(),
                StopCondition.NEVER,
                null));
        if (admission != Admission.ACCEPTED) {
            throw new IllegalStateException("the engine refused to be flushed: " + admission);
        }
    }

    private void onStep(StepOutput output) {
        synchronized (lock) {
            for (SequenceEvent event : output.events()) {
                if (!(event instanceof SequenceEvent.Token)) {
                    open.remove(event.sequenceId());
                }
            }
            lock.notifyAll();
        }
        lease.acknowledge(output);
    }

    @Override
    public void close() {
        lease.close();
    }
}
