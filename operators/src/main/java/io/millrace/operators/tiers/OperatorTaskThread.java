package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.flink.SessionPlacement;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.operators.ProcessingTimeService;

/** The thread of an operator's task, by its mailbox. */
public final class OperatorTaskThread implements TaskThread {
    private final MailboxExecutor mailbox;
    private final ProcessingTimeService time;
    private final Consumer<SessionPlacement> currentKey;

    /**
     * An operator's thread.
     *
     * @param currentKey sets the operator's current key
     */
    public OperatorTaskThread(
            MailboxExecutor mailbox, ProcessingTimeService time, Consumer<SessionPlacement> currentKey) {
        this.mailbox = requireNonNull(mailbox, "mailbox");
        this.time = requireNonNull(time, "time");
        this.currentKey = requireNonNull(currentKey, "currentKey");
    }

    @Override
    public boolean mail(Mail mail, String description) {
        try {
            mailbox.execute(mail::run, description);
            return true;
        } catch (RejectedExecutionException e) {
            return false;
        }
    }

    @Override
    public void after(long delayMs, Mail mail) {
        time.registerTimer(time.getCurrentProcessingTime() + delayMs, timestamp -> mail.run());
    }

    @Override
    public void setCurrentKey(SessionPlacement session) {
        currentKey.accept(session);
    }

    @Override
    public long nowMs() {
        return time.getCurrentProcessingTime();
    }
}
