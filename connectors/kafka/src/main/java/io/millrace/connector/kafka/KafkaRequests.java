package io.millrace.connector.kafka;

import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.kv.flink.ProtoTypeInfo;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.DeadLetter;
import io.millrace.proto.InboundRecord;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceOptions;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;

/**
 * Requests out of Kafka: a source, and a sink of what is no request.
 *
 * <pre>
 *   request topic | source | parts --> requests
 *                              \-----> dead-letter topic
 * </pre>
 */
public final class KafkaRequests {
    /** The uid of what parts requests from dead letters. */
    public static final String PARTS_UID = "millrace-kafka-requests";
    /** The uid of the sink of dead letters. */
    public static final String DEAD_LETTERS_UID = "millrace-dead-letters";

    private KafkaRequests() {}

    /**
     * Puts the source of requests into an environment.
     *
     * @param sourceUid the uid of the source itself
     * @param parallelism of the source
     */
    public static DataStream<AgentRequest> read(
            StreamExecutionEnvironment environment,
            KafkaSettings settings,
            KafkaRequestOptions options,
            String sourceUid,
            int parallelism) {
        SingleOutputStreamOperator<AgentRequest> requests = environment
                .fromSource(
                        new RequestSource(source(settings, options), settings, options.groupId()),
                        WatermarkStrategy.noWatermarks(),
                        "kafka",
                        ProtoTypeInfo.ofMessage(InboundRecord.class))
                .uid(sourceUid)
                .setParallelism(parallelism)
                .process(new DeadLetterFunction())
                .returns(ProtoTypeInfo.ofMessage(AgentRequest.class))
                .name("requests")
                .uid(PARTS_UID)
                .setParallelism(parallelism);
        requests.getSideOutput(DeadLetterFunction.DEAD)
                .sinkTo(deadLetters(settings))
                .name("dead letters")
                .uid(DEAD_LETTERS_UID)
                .setParallelism(1);
        return requests;
    }

    private static KafkaSource<InboundRecord> source(KafkaSettings settings, KafkaRequestOptions options) {
        Properties properties = flinkProperties(settings.consumerProperties(""));
        properties.putIfAbsent(
                KafkaSourceOptions.PARTITION_DISCOVERY_INTERVAL_MS.key(),
                Long.toString(options.discoveryInterval().toMillis()));
        return KafkaSource.<InboundRecord>builder()
                .setProperties(properties)
                .setBootstrapServers(settings.bootstrapServers())
                .setClientIdPrefix(options.groupId())
                .setGroupId(options.groupId())
                .setTopics(settings.requestTopic())
                .setStartingOffsets(start(options.start()))
                .setDeserializer(new InboundDeserializer(settings.maxRequestBytes()))
                .build();
    }

    private static OffsetsInitializer start(KafkaRequestOptions.Start start) {
        return switch (start) {
            // It is also what becomes of an offset that no longer is: what is left is read, rather than left out.
            case COMMITTED -> OffsetsInitializer.committedOffsets(OffsetResetStrategy.EARLIEST);
            case EARLIEST -> OffsetsInitializer.earliest();
            case LATEST -> OffsetsInitializer.latest();
        };
    }

    private static KafkaSink<DeadLetter> deadLetters(KafkaSettings settings) {
        return KafkaSink.<DeadLetter>builder()
                .setKafkaProducerConfig(flinkProperties(settings.producerProperties("")))
                .setBootstrapServers(settings.bootstrapServers())
                .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
                .setRecordSerializer(new DeadLetterSerializer(settings.deadLetterTopic()))
                .build();
    }

    /** Properties for Flink's builders, which name the clients themselves. */
    static Properties flinkProperties(Map<String, Object> client) {
        Properties properties = new Properties();
        properties.putAll(client);
        properties.remove("client.id");
        return properties;
    }
}
