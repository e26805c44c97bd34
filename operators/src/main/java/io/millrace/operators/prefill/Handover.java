package io.millrace.operators.prefill;

import io.millrace.engine.HeldBlocks;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StepOutput;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.tiers.TaskThread;
import io.millrace.proto.Turn;
import org.jspecify.annotations.Nullable;

/** How the blocks that Prefill computes come to Decode. Used on the task thread. */
interface Handover extends AutoCloseable {
    /** What the engine is asked for. */
    SequenceRequest.Purpose purpose();

    /**
     * What there is to compute of a turn.
     *
     * @param cachedTokens prompt tokens that Prefill's engine holds
     */
    PassChoice.Work work(Turn turn, SessionPlacement placement, int cachedTokens);

    /** The turn is left to Decode. */
    void passed(SessionPlacement placement, PassChoice.Work work);

    /** The turn's prompt is going to be computed; so many tokens of it are there. */
    void begin(PendingTurn turn, int cachedTokens) throws Exception;

    /**
     * Does what a step's events ask for, with blocks that the step computed.
     *
     * @param held closed by this, now or when they are copied; null if there are none
     */
    void onStep(@Nullable HeldBlocks held, TaskThread.Mail events) throws Exception;

    /** So many tokens of the prompt are there. */
    void advanced(PendingTurn turn, int tokens) throws Exception;

    /** All that Prefill computes of the prompt is there. Does something once Decode has, or will have, the blocks. */
    void finish(PendingTurn turn, TaskThread.Mail whenDone) throws Exception;

    /** Nothing more goes to Decode for the turn; its {@code whenDone} is not called. */
    void drop(PendingTurn turn);

    /** A step was seen: acknowledges it, now or when there is room for what the next ones compute. */
    void acknowledge(StepOutput step);

    /** Ends what runs beside the task thread. Before the lease is closed. */
    @Override
    void close();
}
