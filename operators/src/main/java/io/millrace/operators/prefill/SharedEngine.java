package io.millrace.operators.prefill;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.EngineLease;
import io.millrace.engine.HeldBlocks;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StepOutput;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.tiers.TaskThread;
import io.millrace.proto.Turn;
import org.jspecify.annotations.Nullable;

/** One engine for Prefill and Decode: what is computed is where it is wanted. */
final class SharedEngine implements Handover {
    private final EngineLease lease;
    private final int blockSizeTokens;

    SharedEngine(EngineLease lease) {
        this.lease = requireNonNull(lease, "lease");
        this.blockSizeTokens = lease.engine().blockSizeTokens();
    }

    @Override
    public SequenceRequest.Purpose purpose() {
        return SequenceRequest.Purpose.PREFILL;
    }

    /** What the session's turn before had is in Decode's tiers, if the engine has it not: they hold whole blocks. */
    @Override
    public PassChoice.Work work(Turn turn, SessionPlacement placement, int cachedTokens) {
        int promptTokens = turn.getPromptTokenIdsCount();
        int prefixTokens = turn.getSessionPrefixTokens();
        int heldTokens = Math.max(cachedTokens, prefixTokens - prefixTokens % blockSizeTokens);
        return new PassChoice.Work(promptTokens - cachedTokens, promptTokens - heldTokens, 0, 0);
    }

    @Override
    public void passed(SessionPlacement placement, PassChoice.Work work) {}

    @Override
    public void begin(PendingTurn turn, int cachedTokens) {}

    @Override
    public void onStep(@Nullable HeldBlocks held, TaskThread.Mail events) throws Exception {
        events.run();
    }

    @Override
    public void advanced(PendingTurn turn, int tokens) {}

    @Override
    public void finish(PendingTurn turn, TaskThread.Mail whenDone) throws Exception {
        whenDone.run();
    }

    @Override
    public void drop(PendingTurn turn) {}

    @Override
    public void acknowledge(StepOutput step) {
        lease.acknowledge(step);
    }

    @Override
    public void close() {}
}
