package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.InstanceSpec;
import java.util.concurrent.Executor;

/**
 * What an engine spends on guesses and constraints.
 *
 * @param maxDraftRows most tokens of guesses in one step, all sequences together; each takes a row of logits' memory
 * @param adaptive whether guesses are as long as they are worth their time; otherwise as long as there is room, which
 *     is for tests
 * @param maskExecutor where masks are computed while the device works
 */
public record SpeculationOptions(int maxDraftRows, boolean adaptive, Executor maskExecutor) {
    /** Adaptive, with masks computed on the engine's own thread. */
    public static final SpeculationOptions DEFAULT =
            new SpeculationOptions(InstanceSpec.DEFAULT_DRAFT_ROWS, true, Runnable::run);

    public SpeculationOptions {
        if (maxDraftRows < 0) {
            throw new IllegalArgumentException("maxDraftRows must not be negative: " + maxDraftRows);
        }
        requireNonNull(maskExecutor, "maskExecutor");
    }
}
