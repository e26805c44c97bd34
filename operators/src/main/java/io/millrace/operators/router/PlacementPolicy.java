package io.millrace.operators.router;

import io.millrace.kv.flink.SessionPlacement;
import io.millrace.proto.Turn;
import java.io.Serializable;

/** Picks where a new session lives. */
@FunctionalInterface
public interface PlacementPolicy extends Serializable {
    /** Every session where the hash of its id puts it. */
    PlacementPolicy BY_SESSION_ID = turn -> SessionPlacement.bySessionId(turn.getSessionId());

    /**
     * Places the session of a turn. Asked once a session: it stays where its KV blocks are.
     *
     * @param turn the session's first turn, all but its placement set
     */
    SessionPlacement place(Turn turn);
}
