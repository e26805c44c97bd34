package io.millrace.engine;

import io.millrace.kv.BlockHash;
import java.util.List;
import java.util.function.Consumer;

/**
 * One user's hold on an engine: the sequences it submits, and the steps' outputs that it gets. The engine does not
 * schedule a lease's sequences while the lease has {@code maxUnacknowledgedSteps} outputs that it has not acknowledged:
 * that is how a full output holds the engine back.
 */
public interface EngineLease extends AutoCloseable {
    /**
     * Offers a sequence. Safe from any thread.
     *
     * @throws io.millrace.kv.ServingException {@code INVALID_REQUEST} if it names a token that the model does not have
     */
    Admission submit(SequenceRequest request);

    /** Ends a sequence early; it answers with {@code Finished(CANCELLED)}, unless it has ended before. Any thread. */
    void cancel(String sequenceId);

    /** Says that a step's output was passed on. Any thread. */
    void acknowledge(StepOutput output);

    /** Prompt tokens that the engine's prefix cache holds right now: a hint, for it may change at once. Any thread. */
    int cachedPrefixTokens(int[] promptTokens, String cacheSalt);

    /**
     * Holds full blocks of the device, so that they can be copied while the engine goes on. Blocks that it does not
     * have are left out, and so are those beyond the quarter of all blocks that may be held at a time. Any thread.
     *
     * @param hashes the blocks' names
     * @param receiver gets the blocks, once; called on the engine's thread, where it hands over and returns, or with
     *     no block at all on the caller's, where the lease or the engine has ended or too many holds are asked for. A
     *     hold ends with the lease at the latest: reads then throw.
     */
    void hold(List<BlockHash> hashes, Consumer<HeldBlocks> receiver);

    /** The engine. */
    Engine engine();

    /** Ends the lease's sequences and gives it back. The listener is not called once this has returned. */
    @Override
    void close();

    /**
     * Gets what steps did. Called on the engine's thread: hands over and returns. If it throws, its output is lost, so
     * its lease is closed.
     */
    @FunctionalInterface
    interface StepListener {
        void onStep(StepOutput output);
    }
}
