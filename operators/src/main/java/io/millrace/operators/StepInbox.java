package io.millrace.operators;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.EngineLease;
import io.millrace.engine.StepOutput;
import java.util.concurrent.RejectedExecutionException;
import org.apache.flink.api.common.operators.MailboxExecutor;

/**
 * Brings what the engine's steps did to the task thread: a step's completion is a mail, so neither thread waits for the
 * other.
 */
public final class StepInbox implements EngineLease.StepListener {
    /** Takes a step on the task thread. */
    @FunctionalInterface
    public interface Handler {
        void handle(StepOutput step) throws Exception;
    }

    private final MailboxExecutor mailbox;
    private final Handler handler;

    /** An inbox of one lease. */
    public StepInbox(MailboxExecutor mailbox, Handler handler) {
        this.mailbox = requireNonNull(mailbox, "mailbox");
        this.handler = requireNonNull(handler, "handler");
    }

    /** On the engine's thread. */
    @Override
    public void onStep(StepOutput step) {
        try {
            mailbox.execute(() -> handler.handle(step), "engine step");
        } catch (RejectedExecutionException e) {
            // The task has ended; what the step did is computed again by whoever restores it.
        }
    }
}
