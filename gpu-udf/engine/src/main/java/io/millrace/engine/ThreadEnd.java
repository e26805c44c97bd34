package io.millrace.engine;

/** Waits for threads that were told to end. */
public final class ThreadEnd {
    private ThreadEnd() {}

    /** Waits until a thread has ended. An interrupt does not cut that short: it is pending again afterwards. */
    public static void await(Thread ending) {
        boolean interrupted = false;
        while (ending.isAlive()) {
            try {
                ending.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
