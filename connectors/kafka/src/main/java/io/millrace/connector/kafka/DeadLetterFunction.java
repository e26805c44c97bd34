package io.millrace.connector.kafka;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.flink.ProtoTypeInfo;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.DeadLetter;
import io.millrace.proto.InboundRecord;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Parts requests from dead letters, and counts both. */
final class DeadLetterFunction extends ProcessFunction<InboundRecord, AgentRequest> {
    private static final long serialVersionUID = 1L;
    private static final Logger LOG = LoggerFactory.getLogger(DeadLetterFunction.class);

    /** Where dead letters come out. */
    static final OutputTag<DeadLetter> DEAD =
            new OutputTag<>("dead-letters", ProtoTypeInfo.ofMessage(DeadLetter.class));

    private transient @Nullable KafkaRequestMetrics metrics;

    @Override
    public void open(OpenContext context) {
        metrics = new KafkaRequestMetrics(getRuntimeContext().getMetricGroup());
    }

    @Override
    public void processElement(InboundRecord inbound, Context context, Collector<AgentRequest> out) {
        KafkaRequestMetrics counts = requireNonNull(metrics);
        if (inbound.hasRequest()) {
            counts.read();
            out.collect(inbound.getRequest());
            return;
        }
        DeadLetter letter = inbound.getDead();
        if (counts.dead() == 0) {
            // The first one only: whoever sends a million of them should not fill the log too.
            LOG.warn(
                    "the record at offset {} of {}-{} is no request, and goes to the dead letters: {}",
                    letter.getOffset(),
                    letter.getTopic(),
                    letter.getPartition(),
                    letter.getReason());
        }
        context.output(DEAD, letter);
    }
}
