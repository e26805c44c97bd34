package io.millrace.operators.prefill;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.EngineLease;
import io.millrace.engine.EngineStats;
import io.millrace.engine.HeldBlocks;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StepOutput;
import io.millrace.kv.BlockHash;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.TokenIds;
import io.millrace.operators.handover.BlockSender;
import io.millrace.operators.handover.OutgoingTurn;
import io.millrace.operators.tiers.ChainHasher;
import io.millrace.operators.tiers.JobThread;
import io.millrace.operators.tiers.TaskThread;
import io.millrace.proto.Turn;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** Engines of their own for Prefill and Decode: blocks go as records on the turns' own stream. */
final class RecordHandover implements Handover {
    /** Prompt tokens a second, until the engine has computed some. */
    private static final double DEFAULT_TOKENS_PER_SECOND = 200;

    private final EngineLease lease;
    private final HoldingInbox steps;
    private final BlockSender sender;
    private final JobThread copyThread;
    private final ToIntFunction<SessionPlacement> targets;
    private final LongSupplier nanoClock;
    private final ChainHasher hasher;
    private final PassedWork passedWork = new PassedWork();
    private final Map<PendingTurn, OutgoingTurn> outgoing = new IdentityHashMap<>();
    private final ArrayDeque<StepOutput> unacknowledged = new ArrayDeque<>();

    /**
     * A hand-over of nothing yet.
     *
     * @param steps the lease's listener
     * @param sender its parts' {@code whenRoom} calls {@link #acknowledge()}
     * @param copyThread the sender's; closed with this
     * @param targets the subtask of Decode that a session goes to
     */
    RecordHandover(
            EngineLease lease,
            HoldingInbox steps,
            BlockSender sender,
            JobThread copyThread,
            ToIntFunction<SessionPlacement> targets,
            LongSupplier nanoClock) {
        this.lease = requireNonNull(lease, "lease");
        this.steps = requireNonNull(steps, "steps");
        this.sender = requireNonNull(sender, "sender");
        this.copyThread = requireNonNull(copyThread, "copyThread");
        this.targets = requireNonNull(targets, "targets");
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
        this.hasher =
                new ChainHasher(lease.engine().blockSizeTokens(), lease.engine().blockIdentity());
    }

    @Override
    public SequenceRequest.Purpose purpose() {
        return SequenceRequest.Purpose.HAND_OVER;
    }

    /** Decode holds what the session's turn before had, and what was sent to it lately, or so it is thought. */
    @Override
    public PassChoice.Work work(Turn turn, SessionPlacement placement, int cachedTokens) {
        int promptTokens = turn.getPromptTokenIdsCount();
        int target = targets.applyAsInt(placement);
        int heldBlocks = sender.heldBlocks(target, chain(turn), knownBlocks(turn));
        EngineStats stats = lease.engine().stats();
        return new PassChoice.Work(
                promptTokens - cachedTokens,
                promptTokens - heldBlocks * hasher.blockSizeTokens(),
                stats.queuedPromptTokens(),
                passedWork.queuedTokens(target, nanoClock.getAsLong(), rate(stats)));
    }

    @Override
    public void passed(SessionPlacement placement, PassChoice.Work work) {
        double rate = rate(lease.engine().stats());
        passedWork.add(targets.applyAsInt(placement), work.decodeTokens(), nanoClock.getAsLong(), rate);
    }

    @Override
    public void begin(PendingTurn turn, int cachedTokens) throws Exception {
        int target = targets.applyAsInt(turn.placement());
        List<BlockHash> chain = chain(turn.turn());
        int knownBlocks = knownBlocks(turn.turn());
        OutgoingTurn begun = sender.begin(turn.placement(), target, chain, knownBlocks);
        outgoing.put(turn, begun);
        steps.begin(turn.sequenceId(), chain, sender.heldBlocks(target, chain, knownBlocks));
        sender.advanced(begun, cachedTokens / hasher.blockSizeTokens());
    }

    @Override
    public void onStep(@Nullable HeldBlocks held, TaskThread.Mail events) throws Exception {
        if (held == null) {
            events.run();
        } else {
            sender.take(held, events);
        }
    }

    @Override
    public void advanced(PendingTurn turn, int tokens) throws Exception {
        OutgoingTurn known = outgoing.get(turn);
        if (known != null) {
            sender.advanced(known, tokens / hasher.blockSizeTokens());
        }
    }

    @Override
    public void finish(PendingTurn turn, TaskThread.Mail whenDone) throws Exception {
        steps.end(turn.sequenceId());
        @Nullable OutgoingTurn known = outgoing.get(turn);
        if (known == null) {
            whenDone.run();
            return;
        }
        sender.finish(known, () -> {
            outgoing.remove(turn);
            whenDone.run();
        });
    }

    @Override
    public void drop(PendingTurn turn) {
        steps.end(turn.sequenceId());
        OutgoingTurn known = outgoing.remove(turn);
        if (known != null) {
            sender.drop(known);
            acknowledge();
        }
    }

    @Override
    public void acknowledge(StepOutput step) {
        unacknowledged.add(step);
        acknowledge();
    }

    /** Lets the engine go on, if there is room for what it computes. */
    void acknowledge() {
        while (!unacknowledged.isEmpty() && !sender.isFull()) {
            lease.acknowledge(unacknowledged.remove());
        }
    }

    @Override
    public void close() {
        copyThread.close();
    }

    private List<BlockHash> chain(Turn turn) {
        List<BlockHash> chain = new ArrayList<>();
        hasher.extend(chain, turn.getCacheSalt(), TokenIds.prompt(turn), new int[0]);
        return chain;
    }

    private int knownBlocks(Turn turn) {
        return turn.getSessionPrefixTokens() / hasher.blockSizeTokens();
    }

    private static double rate(EngineStats stats) {
        double measured = stats.promptTokensPerSecond();
        return measured > 0 ? measured : DEFAULT_TOKENS_PER_SECOND;
    }
}
