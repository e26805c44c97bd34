package io.millrace.operators.decode;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Turns that were cancelled, and whose end is not said before a checkpoint knows of the cancel.
 *
 * <p>Everything else that ends a turn is decided by its tokens, and so is the same when the turn is restored and runs
 * again. Where a cancel ends it depends on when the cancel arrives: after an end that no checkpoint knows of, a
 * restored turn would go on, with tokens behind that end.
 */
final class CancelledTurns {
    private static final long NOT_SAVED = -1;

    /** The checkpoint that knows of each first. */
    private final Map<ActiveTurn, Long> checkpoints = new LinkedHashMap<>();

    /** Takes a turn whose tokens have ended. */
    void add(ActiveTurn turn) {
        checkpoints.putIfAbsent(turn, NOT_SAVED);
    }

    boolean contains(ActiveTurn turn) {
        return checkpoints.containsKey(turn);
    }

    /** Forgets a turn that has ended otherwise. */
    void remove(ActiveTurn turn) {
        checkpoints.remove(turn);
    }

    /** A checkpoint has what the state says of all turns here. */
    void saved(long checkpointId) {
        checkpoints.replaceAll((turn, known) -> known == NOT_SAVED ? Long.valueOf(checkpointId) : known);
    }

    /** Takes out the turns that a checkpoint which is complete knows of, in the order in which they were cancelled. */
    List<ActiveTurn> complete(long checkpointId) {
        List<ActiveTurn> due = new ArrayList<>();
        Iterator<Map.Entry<ActiveTurn, Long>> each = checkpoints.entrySet().iterator();
        while (each.hasNext()) {
            Map.Entry<ActiveTurn, Long> entry = each.next();
            if (entry.getValue() != NOT_SAVED && entry.getValue() <= checkpointId) {
                due.add(entry.getKey());
                each.remove();
            }
        }
        return due;
    }
}
