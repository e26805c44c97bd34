package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.flink.runtime.checkpoint.CompletedCheckpointStats;

/** Takes a checkpoint each so often while it is on; one that takes longer than that delays the next. */
final class CheckpointClock implements AutoCloseable {
    private final JobCluster job;
    private final ScheduledExecutorService executor =
            Executors.newSingleThreadScheduledExecutor(run -> new Thread(run, "bench-checkpoints"));
    private final List<CompletedCheckpointStats> taken = new ArrayList<>();
    private volatile boolean on;
    private volatile String failure = "";

    CheckpointClock(JobCluster job, long intervalMs) {
        this.job = requireNonNull(job, "job");
        // The executor's own future says nothing that is not in failure.
        var unused = executor.scheduleAtFixedRate(this::tick, intervalMs, intervalMs, TimeUnit.MILLISECONDS);
    }

    private void tick() {
        if (!on) {
            return;
        }
        try {
            CompletedCheckpointStats one = job.checkpoint();
            synchronized (taken) {
                taken.add(one);
                taken.notifyAll();
            }
        } catch (Exception e) {
            failure = e.toString();
        }
    }

    void set(boolean nowOn) {
        on = nowOn;
    }

    /** Waits until so many more were taken, or the time is up. */
    void awaitMore(int count, long limitMs) throws InterruptedException {
        long endNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limitMs);
        synchronized (taken) {
            int wanted = taken.size() + count;
            for (long left = limitMs; taken.size() < wanted && left > 0; ) {
                taken.wait(left);
                left = TimeUnit.NANOSECONDS.toMillis(endNanos - System.nanoTime());
            }
        }
    }

    /**
     * The checkpoints that were taken.
     *
     * @throws IllegalStateException if one could not be
     */
    List<CompletedCheckpointStats> taken() {
        if (!failure.isEmpty()) {
            throw new IllegalStateException("a checkpoint failed: " + failure);
        }
        synchronized (taken) {
            return List.copyOf(taken);
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
    }
}
