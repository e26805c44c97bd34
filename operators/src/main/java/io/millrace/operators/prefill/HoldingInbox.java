package io.millrace.operators.prefill;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.EngineLease;
import io.millrace.engine.HeldBlocks;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.StepOutput;
import io.millrace.kv.BlockHash;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.util.function.ThrowingRunnable;
import org.jspecify.annotations.Nullable;

/**
 * Brings what the engine's steps did to the task thread, and with it the blocks that are to be handed over: it has them
 * held before the next step begins. Asked for by the task thread they would come after that step, and a step of a
 * prefill is long.
 */
final class HoldingInbox implements EngineLease.StepListener {
    /** Takes a step on the task thread. */
    @FunctionalInterface
    interface Handler {
        /**
         * A step has ended.
         *
         * @param held blocks that it computed, to be closed; null if none is wanted
         */
        void handle(StepOutput step, @Nullable HeldBlocks held) throws Exception;
    }

    private final MailboxExecutor mailbox;
    private final Handler handler;
    private final Map<String, Wanted> wanted = new ConcurrentHashMap<>();
    private volatile @Nullable EngineLease lease;

    /** The blocks of a sequence that are to be held. The engine's thread counts them. */
    private static final class Wanted {
        final List<BlockHash> chain;
        int next;

        Wanted(List<BlockHash> chain, int next) {
            this.chain = chain;
            this.next = next;
        }
    }

    HoldingInbox(MailboxExecutor mailbox, Handler handler) {
        this.mailbox = requireNonNull(mailbox, "mailbox");
        this.handler = requireNonNull(handler, "handler");
    }

    /** The lease whose listener this is. Before its first sequence is submitted. */
    void attach(EngineLease attached) {
        lease = requireNonNull(attached, "attached");
    }

    /** From now on blocks of a sequence are held as they are computed, but for the first ones. */
    void begin(String sequenceId, List<BlockHash> chain, int firstBlock) {
        wanted.put(sequenceId, new Wanted(List.copyOf(chain), firstBlock));
    }

    /** No more blocks of a sequence are held. */
    void end(String sequenceId) {
        wanted.remove(sequenceId);
    }

    /** On the engine's thread. */
    @Override
    public void onStep(StepOutput step) {
        List<BlockHash> computed = new ArrayList<>();
        EngineLease holder = requireNonNull(lease, "the inbox has no lease");
        int blockSizeTokens = holder.engine().blockSizeTokens();
        for (SequenceEvent event : step.events()) {
            Wanted sequence = wanted.get(event.sequenceId());
            if (sequence != null && event instanceof SequenceEvent.Advanced advanced) {
                add(sequence, advanced.tokens() / blockSizeTokens, computed);
            } else if (sequence != null && event instanceof SequenceEvent.Prefilled) {
                add(sequence, sequence.chain.size(), computed);
            }
        }
        if (computed.isEmpty()) {
            mail(() -> handler.handle(step, null), null);
            return;
        }
        try {
            holder.hold(computed, held -> mail(() -> handler.handle(step, held), held));
        } catch (RuntimeException e) {
            // It is the task's failure, and not the engine's.
            mail(
                    () -> {
                        throw e;
                    },
                    null);
        }
    }

    private static void add(Wanted sequence, int endBlock, List<BlockHash> computed) {
        if (endBlock > sequence.next) {
            computed.addAll(sequence.chain.subList(sequence.next, endBlock));
            sequence.next = endBlock;
        }
    }

    private void mail(ThrowingRunnable<Exception> action, @Nullable HeldBlocks held) {
        try {
            mailbox.execute(action, "engine step");
        } catch (RejectedExecutionException e) {
            // The task has ended; what the step did is computed again by whoever restores it.
            if (held != null) {
                held.close();
            }
        }
    }
}
