package io.millrace.durability;

import static java.util.Objects.requireNonNull;

/** A place at the edge of the job where a failure can be injected without a hook in what is tested. */
public enum FaultPoint {
    /** The source has handed a request on. */
    SOURCE_RECORD(Step.RECORD),
    /** The sink is about to take a chunk. */
    SINK_CHUNK(Step.RECORD),
    /** The sink has delivered a chunk. */
    SINK_DELIVERED(Step.RECORD),

    /** An operator offers a sequence to its engine. */
    SUBMIT(Step.MAIL),
    /** An operator has handled a step of its engine. */
    ACKNOWLEDGE(Step.MAIL),
    /** An operator asks its engine to hold blocks. */
    HOLD(Step.MAIL),
    /** Prefill asks what the engine has of a prompt. */
    CACHED_PREFIX(Step.MAIL),
    /** The router renders a prompt. */
    PROMPT(Step.MAIL),
    /** Decode begins to read a turn's output. */
    TURN_TEXT(Step.MAIL),
    /** Decode reads a token of a turn's output. */
    TOKEN_TEXT(Step.MAIL),

    /** The source's reader gives its state to a checkpoint. */
    SOURCE_SNAPSHOT(Step.CHECKPOINT),
    /** The sink flushes ahead of a checkpoint's barrier. */
    SINK_FLUSH(Step.CHECKPOINT),
    /** The source hears that a checkpoint is complete. */
    CHECKPOINT_COMPLETE(Step.CHECKPOINT),
    /** A file of a checkpoint is made. */
    FILE_CREATE(Step.CHECKPOINT),
    /** Bytes are written to a file of a checkpoint. */
    FILE_WRITE(Step.CHECKPOINT),
    /** A file of a checkpoint is closed. */
    FILE_CLOSE(Step.CHECKPOINT),

    /** An operator takes its engine. */
    LEASE(Step.RESTORE),
    /** An operator opens the model's text side. */
    TEXT_OPEN(Step.RESTORE),
    /** The source makes its reader. */
    SOURCE_OPEN(Step.RESTORE),
    /** The source's reader gets its splits, from its state or anew. */
    SPLITS_ADDED(Step.RESTORE),
    /** The sink makes its writer. */
    SINK_OPEN(Step.RESTORE),
    /** A file of a checkpoint is opened. */
    FILE_OPEN(Step.RESTORE),
    /** Bytes are read from a file of a checkpoint. */
    FILE_READ(Step.RESTORE);

    /** The kinds of steps that a job takes. */
    public enum Step {
        RECORD,
        MAIL,
        CHECKPOINT,
        RESTORE
    }

    private final Step step;

    FaultPoint(Step step) {
        this.step = requireNonNull(step, "step");
    }

    /** The kind of step that it is part of. */
    public Step step() {
        return step;
    }
}
