package io.millrace.operators.prefill;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.EngineTurn;
import io.millrace.proto.Turn;

/**
 * A turn whose prompt is being computed.
 *
 * @param turn the turn
 * @param placement its key
 * @param sequenceId its name in the engine
 */
record PendingTurn(Turn turn, SessionPlacement placement, String sequenceId) implements EngineTurn {
    PendingTurn {
        requireNonNull(turn, "turn");
        requireNonNull(placement, "placement");
        requireNonNull(sequenceId, "sequenceId");
    }
}
