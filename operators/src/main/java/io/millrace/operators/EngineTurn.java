package io.millrace.operators;

import io.millrace.kv.flink.SessionPlacement;
import io.millrace.proto.Turn;

/** A turn that an operator has the engine work on. */
public interface EngineTurn {
    /** The turn. */
    Turn turn();

    /** Its key. */
    SessionPlacement placement();

    /** Its name in the engine. */
    String sequenceId();
}
