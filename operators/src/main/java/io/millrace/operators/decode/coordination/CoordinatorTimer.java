package io.millrace.operators.decode.coordination;

import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Runs things later. */
interface CoordinatorTimer extends AutoCloseable {
    /**
     * Runs an action once.
     *
     * @param delayMs how much later
     * @return cancels it
     */
    Runnable after(long delayMs, Runnable action);

    /** Drops what has not run. */
    @Override
    void close();

    /** One with a thread of its own, a daemon. */
    static CoordinatorTimer withThread(String name) {
        ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor(runnable -> {
            Thread thread = new Thread(runnable, name);
            thread.setDaemon(true);
            return thread;
        });
        return new CoordinatorTimer() {
            @Override
            public Runnable after(long delayMs, Runnable action) {
                Future<?> scheduled = executor.schedule(action, delayMs, TimeUnit.MILLISECONDS);
                return () -> scheduled.cancel(false);
            }

            @Override
            public void close() {
                executor.shutdownNow();
            }
        };
    }
}
