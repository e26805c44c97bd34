package io.millrace.operators.model;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.EngineHold;
import io.millrace.engine.EngineLease;
import io.millrace.engine.ForwardingLease;

/** A lease that gives the engine back to its registry when it is closed. */
final class HeldLease extends ForwardingLease {
    private final EngineHold hold;

    HeldLease(EngineLease lease, EngineHold hold) {
        super(lease);
        this.hold = requireNonNull(hold, "hold");
    }

    @Override
    public void close() {
        super.close();
        hold.close();
    }
}
