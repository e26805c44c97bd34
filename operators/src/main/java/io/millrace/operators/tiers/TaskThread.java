package io.millrace.operators.tiers;

import io.millrace.kv.flink.SessionPlacement;

/** The task's thread, as the tiers use it: keyed state is touched there only. */
public interface TaskThread {
    /** Work for the task's thread. */
    @FunctionalInterface
    interface Mail {
        void run() throws Exception;
    }

    /**
     * Has the task's thread do something. Any thread.
     *
     * @return false if the task has ended, and the mail is never run
     */
    boolean mail(Mail mail, String description);

    /** Does something on the task's thread after a time, unless the task has ended by then. Task thread. */
    void after(long delayMs, Mail mail);

    /** Makes a session's key the current one of keyed state. Task thread. */
    void setCurrentKey(SessionPlacement session);

    /** Milliseconds since the epoch. Any thread. */
    long nowMs();
}
