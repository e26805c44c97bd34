package io.millrace.engine;

/** Whom a sequence belongs to: says whether it may run, and hears what becomes of it. Engine thread. */
interface SequenceOwner {
    /** Whether the owner's sequences may be scheduled in this step. */
    boolean isOpen();

    /** Whether it has not been open for so long that the blocks of its sequences may be taken for others. */
    boolean isStalled();

    /** Takes what happened to a sequence in this step. */
    void addEvent(SequenceEvent event);

    /** Forgets a sequence that has ended. */
    void forget(Sequence sequence);
}
