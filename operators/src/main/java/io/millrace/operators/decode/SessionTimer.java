package io.millrace.operators.decode;

import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.tiers.SessionTiers;
import java.util.function.Supplier;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.streaming.api.operators.InternalTimer;
import org.apache.flink.streaming.api.operators.Triggerable;

/** Ends sessions that did nothing for their time to live. */
record SessionTimer(Supplier<SessionTiers> tiers) implements Triggerable<SessionPlacement, VoidNamespace> {
    /** The name of the timers in state: for ever. */
    static final String NAME = "session-ttl";

    @Override
    public void onProcessingTime(InternalTimer<SessionPlacement, VoidNamespace> timer) throws Exception {
        tiers.get().onTimer(timer.getKey());
    }

    @Override
    public void onEventTime(InternalTimer<SessionPlacement, VoidNamespace> timer) {
        throw new IllegalStateException("sessions have no timers in event time");
    }
}
