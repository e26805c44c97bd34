package io.millrace.operators.grammar;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** The process's threads that make grammars, of which one may take a second. They go when nothing was to do lately. */
public final class GrammarThreads {
    private static final int THREADS = 2;
    /** Each operator has a few in it at most. */
    private static final int QUEUE_CAPACITY = 1_024;

    private static final long KEEP_ALIVE_SECONDS = 10;

    private static final Executor SHARED = newExecutor();

    private GrammarThreads() {}

    /** They refuse work when too much waits for them. */
    public static Executor shared() {
        return SHARED;
    }

    private static Executor newExecutor() {
        ThreadPoolExecutor executor = new ThreadPoolExecutor(
                THREADS,
                THREADS,
                KEEP_ALIVE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(QUEUE_CAPACITY),
                run -> {
                    Thread thread = new Thread(run, "millrace-grammars");
                    thread.setDaemon(true);
                    return thread;
                });
        executor.allowCoreThreadTimeOut(true);
        return executor;
    }
}
