package io.millrace.operators;

import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.util.function.ThrowingRunnable;

/** A mailbox that the test empties. */
public final class TestingMailbox implements MailboxExecutor {
    private final ArrayDeque<ThrowingRunnable<? extends Exception>> mails = new ArrayDeque<>();
    private boolean closed;

    @Override
    public void execute(
            MailOptions options,
            ThrowingRunnable<? extends Exception> command,
            String descriptionFormat,
            Object... descriptionArgs) {
        if (closed) {
            throw new RejectedExecutionException("the mailbox is closed");
        }
        mails.add(command);
    }

    @Override
    public void yield() {
        tryYield();
    }

    @Override
    public boolean tryYield() {
        ThrowingRunnable<? extends Exception> mail = mails.poll();
        if (mail == null) {
            return false;
        }
        try {
            mail.run();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        return true;
    }

    @Override
    public boolean shouldInterrupt() {
        return false;
    }

    /** Mails that wait. */
    public int size() {
        return mails.size();
    }

    /** Runs mails until there are none. */
    public void runAll() {
        while (tryYield()) {
            // tryYield did it
        }
    }

    /** Refuses mails from now on. */
    public void close() {
        closed = true;
    }
}
