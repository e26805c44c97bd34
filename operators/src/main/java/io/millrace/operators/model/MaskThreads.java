package io.millrace.operators.model;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The process's thread that computes masks of tokens while devices work. It goes when it had no work for a while. */
final class MaskThreads {
    /** Engines have one task each at most. */
    private static final int QUEUE_CAPACITY = 1_024;

    private static final long KEEP_ALIVE_SECONDS = 10;

    private static final Executor SHARED = newExecutor();

    private MaskThreads() {}

    static Executor shared() {
        return SHARED;
    }

    private static Executor newExecutor() {
        ThreadPoolExecutor executor = new ThreadPoolExecutor(
                1, 1, KEEP_ALIVE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(QUEUE_CAPACITY), run -> {
                    Thread thread = new Thread(run, "millrace-masks");
                    thread.setDaemon(true);
                    return thread;
                });
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }
}
