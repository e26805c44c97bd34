package io.millrace.engine;

import io.millrace.engine.speculation.DrafterKind;
import java.util.List;

/** Guesses what comes next in sequences. Engine thread. */
interface Drafter extends AutoCloseable {
    /** What it is. */
    DrafterKind kind();

    /**
     * Guesses for those of the sequences that it has something for, with {@link Draft#guess}. What it throws ends the
     * guessing for them, and nothing else.
     *
     * @param drafts sequences that want guesses of this kind and have none in this step yet
     */
    void guess(List<Draft> drafts);

    /** Forgets a sequence that has ended. */
    default void forget(Draft draft) {}

    /**
     * Verifies what it keeps.
     *
     * @throws IllegalStateException naming what does not hold
     */
    default void checkIntegrity() {}

    @Override
    default void close() {}
}
