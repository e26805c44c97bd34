package io.millrace.operators.decode;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Constraint;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.ModelText;
import io.millrace.proto.OutputRules;
import io.millrace.proto.Turn;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.jspecify.annotations.Nullable;

/**
 * Turns that wait for the grammars of their outputs, and the turns of their sessions behind them. A grammar that is new
 * may take a second, which is too long for the task thread: an executor makes it. Turns that demand the same wait for
 * the same grammar, and turns of a session go on in the order in which they came. Used on the task thread.
 */
final class GrammarTurns {
    /** Grammars of one operator that are made at a time. */
    static final int GRAMMARS_MAX = 2;

    /** Takes turns that need not wait any more. */
    interface Receiver {
        /** Its constraint is known. */
        void ready(ActiveTurn turn) throws Exception;

        /** What it demands is not supported, or something went wrong. */
        void failed(ActiveTurn turn, RuntimeException why) throws Exception;
    }

    /** What decides a grammar. */
    private record Demand(String outputFormat, OutputRules rules) {
        static Demand of(Turn turn) {
            return new Demand(turn.getOutputFormat(), turn.getOutputRules());
        }
    }

    /** A turn in its session's queue. */
    private static final class Waiting {
        private final ActiveTurn turn;
        private boolean settled;
        private @Nullable RuntimeException failure;

        Waiting(ActiveTurn turn, boolean settled) {
            this.turn = turn;
            this.settled = settled;
        }
    }

    private final ModelText text;
    private final Executor executor;
    private final MailboxExecutor mailbox;
    private final Receiver receiver;
    private final Map<SessionPlacement, ArrayDeque<Waiting>> sessions = new HashMap<>();
    /** The turns of each grammar that is not there yet; one that none waits for any more is made all the same. */
    private final Map<Demand, List<Waiting>> demands = new HashMap<>();
    /** Turns whose grammars nobody makes yet. */
    private final ArrayDeque<Turn> due = new ArrayDeque<>();

    private int running;
    private int size;

    /** None waits. Whoever adds bounds them. */
    GrammarTurns(ModelText text, Executor executor, MailboxExecutor mailbox, Receiver receiver) {
        this.text = requireNonNull(text, "text");
        this.executor = requireNonNull(executor, "executor");
        this.mailbox = requireNonNull(mailbox, "mailbox");
        this.receiver = requireNonNull(receiver, "receiver");
    }

    /** Has a turn wait, if it must. Returns false if it need not: it may go on at once then. */
    boolean add(ActiveTurn turn) {
        boolean ready = text.isConstraintReady(turn.turn());
        if (ready) {
            turn.constrain(text.constraint(turn.turn()));
            if (!sessions.containsKey(turn.placement())) {
                return false;
            }
        }
        Waiting waiting = new Waiting(turn, ready);
        sessions.computeIfAbsent(turn.placement(), none -> new ArrayDeque<>()).add(waiting);
        size++;
        if (!ready) {
            Demand demand = Demand.of(turn.turn());
            if (!demands.containsKey(demand)) {
                due.add(turn.turn());
            }
            demands.computeIfAbsent(demand, none -> new ArrayList<>()).add(waiting);
            makeNext();
        }
        return true;
    }

    /** Takes a turn out; false if it does not wait. Those behind it may be ready now. */
    boolean remove(ActiveTurn turn) throws Exception {
        ArrayDeque<Waiting> session = sessions.get(turn.placement());
        if (session == null || !session.removeIf(each -> each.turn == turn)) {
            return false;
        }
        size--;
        List<Waiting> same = demands.get(Demand.of(turn.turn()));
        if (same != null) {
            same.removeIf(each -> each.turn == turn);
        }
        release(turn.placement());
        return true;
    }

    /** Turns that wait. */
    int size() {
        return size;
    }

    private void makeNext() {
        while (running < GRAMMARS_MAX && !due.isEmpty()) {
            Turn turn = due.remove();
            running++;
            try {
                executor.execute(() -> make(turn));
            } catch (RejectedExecutionException e) {
                // Very many operators are in this process. It takes the task thread's time, but it is done.
                make(turn);
            }
        }
    }

    /** Makes a grammar. Any thread. */
    private void make(Turn turn) {
        Constraint constraint = null;
        RuntimeException failure = null;
        try {
            constraint = text.constraint(turn);
        } catch (RuntimeException e) {
            failure = e;
        } catch (Error e) {
            // The turn is told; nobody else would be.
            failure = new IllegalStateException("a grammar could not be made: " + e, e);
        }
        Constraint made = constraint;
        RuntimeException why = failure;
        try {
            mailbox.execute(() -> made(Demand.of(turn), made, why), "a grammar is made");
        } catch (RejectedExecutionException e) {
            // The task has ended: its turns are restored, and ask for it again.
        }
    }

    private void made(Demand demand, @Nullable Constraint constraint, @Nullable RuntimeException failure)
            throws Exception {
        running--;
        makeNext();
        List<Waiting> settled = demands.remove(demand);
        if (settled == null) {
            return;
        }
        for (Waiting each : settled) {
            each.settled = true;
            each.failure = failure;
            each.turn.constrain(constraint);
        }
        for (Waiting each : List.copyOf(settled)) {
            release(each.turn.placement());
        }
    }

    /** Lets the first turns of a session go on, as far as they are settled. */
    private void release(SessionPlacement placement) throws Exception {
        ArrayDeque<Waiting> session = sessions.get(placement);
        while (session != null && !session.isEmpty() && session.element().settled) {
            Waiting first = session.remove();
            size--;
            if (first.failure == null) {
                receiver.ready(first.turn);
            } else {
                receiver.failed(first.turn, first.failure);
            }
        }
        if (session != null && session.isEmpty()) {
            sessions.remove(placement, session);
        }
    }
}
