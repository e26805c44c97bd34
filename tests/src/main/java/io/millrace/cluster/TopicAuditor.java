package io.millrace.cluster;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.InvalidProtocolBufferException;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.TokenChunk;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads a cluster's topics from their beginning, with nothing but Kafka's client and the messages' own parsers. */
public final class TopicAuditor {
    private static final String DEAD_REASON = "millrace-dead-reason";

    private final Map<String, Object> client = new HashMap<>();
    private final Topics topics;
    private final Duration limit;

    /** The names of a cluster's topics. */
    public record Topics(String requests, String tokens, String deadLetters) {
        /** The names that are used unless others are set. */
        public static final Topics DEFAULT = new Topics("agent-requests", "agent-tokens", "agent-requests-dead");
    }

    /**
     * An auditor of some topics.
     *
     * @param bootstrap where a broker answers
     * @param limit how long reading all of them may take
     */
    public TopicAuditor(String bootstrap, Topics topics, Duration limit) {
        client.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, requireNonNull(bootstrap, "bootstrap"));
        client.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 5_000);
        client.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        this.topics = requireNonNull(topics, "topics");
        this.limit = requireNonNull(limit, "limit");
    }

    /** All that the topics hold as of now. A topic that is not there holds nothing. */
    public TopicRecords read() throws TimeoutException {
        List<AgentRequest> requests = new ArrayList<>();
        List<TokenChunk> chunks = new ArrayList<>();
        List<String> deadLetters = new ArrayList<>();
        read(topics.requests(), each -> requests.add(parsed(each, AgentRequest::parseFrom)));
        read(topics.tokens(), each -> chunks.add(parsed(each, TokenChunk::parseFrom)));
        read(topics.deadLetters(), each -> deadLetters.add(reason(each)));
        return new TopicRecords(requests, chunks, deadLetters);
    }

    private interface Parser<T> {
        T parse(byte[] value) throws InvalidProtocolBufferException;
    }

    private static <T> T parsed(ConsumerRecord<byte[], byte[]> each, Parser<T> parser) {
        try {
            return parser.parse(each.value());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException(
                    each.topic() + "-" + each.partition() + " at " + each.offset() + " cannot be parsed", e);
        }
    }

    private static String reason(ConsumerRecord<byte[], byte[]> each) {
        Header header = each.headers().lastHeader(DEAD_REASON);
        return header == null ? "no reason is given" : new String(header.value(), StandardCharsets.UTF_8);
    }

    private void read(String topic, Consumer<ConsumerRecord<byte[], byte[]>> sink) throws TimeoutException {
        long deadline = System.nanoTime() + limit.toNanos();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(client, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.listTopics(limit).getOrDefault(topic, List.of()).stream()
                    .map(each -> new TopicPartition(topic, each.partition()))
                    .toList();
            if (partitions.isEmpty()) {
                return;
            }
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions, limit);
            while (isBehind(consumer, partitions, ends)) {
                if (System.nanoTime() > deadline) {
                    throw new TimeoutException("reading " + topic + " takes longer than " + limit);
                }
                consumer.poll(Duration.ofMillis(200)).forEach(sink);
            }
        }
    }

    private static boolean isBehind(
            KafkaConsumer<byte[], byte[]> consumer,
            Collection<TopicPartition> partitions,
            Map<TopicPartition, Long> ends) {
        return partitions.stream().anyMatch(each -> consumer.position(each) < ends.getOrDefault(each, 0L));
    }
}
