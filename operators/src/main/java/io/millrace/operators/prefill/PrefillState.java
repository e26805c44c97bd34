package io.millrace.operators.prefill;

import io.millrace.kv.flink.ProtoTypeInfo;
import io.millrace.proto.Turn;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;

/** What Prefill keeps, by placement. Names are for ever: savepoints know state by them. */
final class PrefillState {
    /** The turns whose prompts are being computed, by their request ids. */
    static final MapStateDescriptor<String, Turn> PENDING =
            new MapStateDescriptor<>("pending-turns", Types.STRING, ProtoTypeInfo.ofMessage(Turn.class));

    private PrefillState() {}
}
