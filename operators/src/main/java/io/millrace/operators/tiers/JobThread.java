package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.ThreadEnd;
import java.util.ArrayDeque;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bounded queue of jobs and the thread that does them in order. Jobs for idle times are done while there is nothing
 * else. Tests leave the thread out and call {@link #doOne}. Any thread may offer.
 */
public final class JobThread implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JobThread.class);

    /** Something to do. One of the two methods is called, once. */
    public interface Job {
        void run();

        /** The thread has ended before it came to this. */
        void abandon();
    }

    private final int capacity;
    private final ArrayDeque<Job> jobs = new ArrayDeque<>();
    private final ArrayDeque<Job> idleJobs = new ArrayDeque<>();
    private @Nullable Thread thread;
    private boolean closed;

    /** A queue of at most so many jobs, and as many for idle times. */
    public JobThread(int capacity) {
        this.capacity = capacity;
    }

    /** Starts the thread. At most once. */
    public synchronized void start(ThreadFactory threads) {
        Thread created = requireNonNull(threads.newThread(this::run), "the thread factory's thread");
        thread = created;
        created.start();
    }

    /** Adds a job; false if there are too many, or this is closed: the job is left to the caller then. */
    public synchronized boolean offer(Job job) {
        return add(jobs, job);
    }

    /** Adds a job for when there is nothing else to do. */
    synchronized boolean offerIdle(Job job) {
        return add(idleJobs, job);
    }

    /** Does the next job, if there is one. */
    public boolean doOne() {
        Job job = poll();
        if (job == null) {
            return false;
        }
        run(job);
        return true;
    }

    /** Waits for the job that is being done, and abandons the others. Not from a job. */
    @Override
    public void close() {
        Thread joined;
        synchronized (this) {
            closed = true;
            joined = thread;
            notifyAll();
        }
        if (joined != null) {
            ThreadEnd.await(joined);
        }
        for (Job job = poll(); job != null; job = poll()) {
            job.abandon();
        }
    }

    private boolean add(ArrayDeque<Job> queue, Job job) {
        if (closed || queue.size() >= capacity) {
            return false;
        }
        queue.add(requireNonNull(job, "job"));
        notifyAll();
        return true;
    }

    private synchronized @Nullable Job poll() {
        Job job = jobs.poll();
        return job == null ? idleJobs.poll() : job;
    }

    private void run() {
        for (Job job = await(); job != null; job = await()) {
            run(job);
        }
    }

    private synchronized @Nullable Job await() {
        while (!closed && jobs.isEmpty() && idleJobs.isEmpty()) {
            try {
                wait();
            } catch (InterruptedException e) {
                LOG.warn("a thread of the tiers was interrupted, which it ignores: close it to end it");
            }
        }
        return closed ? null : poll();
    }

    private static void run(Job job) {
        try {
            job.run();
        } catch (RuntimeException | Error e) {
            // A job answers for its errors itself. What comes here is a defect, which must not end the others.
            LOG.error("a job of the tiers failed", e);
        }
    }
}
