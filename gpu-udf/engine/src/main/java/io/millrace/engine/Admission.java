package io.millrace.engine;

/** An engine's answer to a sequence that is offered to it. Back-pressure is this value, not an exception. */
public enum Admission {
    /** It is in the waiting queue. */
    ACCEPTED,
    /** The waiting queue is at its limit: offer again after the next step. */
    REJECTED_QUEUE_FULL,
    /** A sequence of this id is there already. */
    REJECTED_DUPLICATE,
    /** It can never run here: longer than the context or than the whole block pool. */
    REJECTED_TOO_LONG,
    /** The engine or the lease is closed. */
    REJECTED_CLOSED
}
