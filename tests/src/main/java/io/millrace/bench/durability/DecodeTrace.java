package io.millrace.bench.durability;

import io.millrace.engine.SequenceEvent;
import io.millrace.engine.StepOutput;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What a task of Decode did with its engine since it was killed, and the wish to kill it. Times are {@link
 * System#nanoTime}; 0 is never.
 */
final class DecodeTrace {
    private final AtomicBoolean killWanted = new AtomicBoolean();
    private volatile long killNanos;
    private volatile long resumeNanos;
    private volatile long firstTokenNanos;
    private volatile int firstTokenOffset;

    /** Says who killed the task, and fills no log with where. */
    private static final class Kill extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Kill() {
            super("killed by the benchmark", null, false, false);
        }
    }

    /** Lets the task fail at the next step's output. */
    void kill() {
        killNanos = 0;
        resumeNanos = 0;
        firstTokenNanos = 0;
        killWanted.set(true);
    }

    /** Called by the task with each step's output. */
    void beforeAcknowledge() {
        if (killWanted.compareAndSet(true, false)) {
            killNanos = System.nanoTime();
            throw new Kill();
        }
    }

    /** Called when the task gives the engine a sequence. */
    void onSubmit() {
        if (killNanos != 0 && resumeNanos == 0) {
            resumeNanos = System.nanoTime();
        }
    }

    /** Called on the engine's thread with each step's output. */
    void onStep(StepOutput output) {
        if (resumeNanos != 0 && firstTokenNanos == 0) {
            for (SequenceEvent event : output.events()) {
                if (event instanceof SequenceEvent.Token token) {
                    firstTokenOffset = token.offset();
                    firstTokenNanos = token.nanos();
                    return;
                }
            }
        }
    }

    /** When the task failed. */
    long killNanos() {
        return killNanos;
    }

    /** When the next task first gave the engine a sequence. */
    long resumeNanos() {
        return resumeNanos;
    }

    /** When the engine sampled that task's first token. */
    long firstTokenNanos() {
        return firstTokenNanos;
    }

    /** Which token of its turn that was. */
    int firstTokenOffset() {
        return firstTokenOffset;
    }
}
