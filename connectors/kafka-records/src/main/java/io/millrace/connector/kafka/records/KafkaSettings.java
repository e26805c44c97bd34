package io.millrace.connector.kafka.records;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;

/**
 * Where the records are and how clients reach them. Properties that are set here go over Millrace's own.
 *
 * @param bootstrapServers where clients begin: {@code host:port}, comma between several
 * @param requestTopic requests, keyed by session
 * @param tokenTopic chunks, keyed by session
 * @param deadLetterTopic records of the request topic that are no requests
 * @param maxRequestBytes most bytes of a request's message
 * @param properties of all clients, such as those of security
 * @param consumerProperties of consumers, over those of all clients
 * @param producerProperties of producers, over those of all clients
 */
public record KafkaSettings(
        String bootstrapServers,
        String requestTopic,
        String tokenTopic,
        String deadLetterTopic,
        int maxRequestBytes,
        Map<String, String> properties,
        Map<String, String> consumerProperties,
        Map<String, String> producerProperties)
        implements Serializable {
    private static final long serialVersionUID = 1L;

    /** Where requests are, unless settings say otherwise. */
    public static final String REQUEST_TOPIC = "agent-requests";
    /** Where chunks are, unless settings say otherwise. */
    public static final String TOKEN_TOPIC = "agent-tokens";
    /** Where dead letters are, unless settings say otherwise. */
    public static final String DEAD_LETTER_TOPIC = "agent-requests-dead";
    /** Room for requests of 4 MB and for what they become in Protobuf. */
    public static final int MAX_REQUEST_BYTES = 8 << 20;

    /** What a record has beside its value, at most: key, headers, and Kafka's own framing. */
    public static final int RECORD_OVERHEAD_BYTES = 64 << 10;

    /** A broker refuses single requests of more than 100 MiB ({@code socket.request.max.bytes}). */
    private static final int MAX_REQUEST_BYTES_LIMIT = 64 << 20;

    private static final int PRODUCER_BUFFER_BYTES = 32 << 20;
    private static final int CONSUMER_FETCH_BYTES = 50 << 20;
    private static final int PARTITION_FETCH_BYTES = 1 << 20;

    public KafkaSettings {
        requireNonNull(bootstrapServers, "bootstrapServers");
        properties = Map.copyOf(properties);
        consumerProperties = Map.copyOf(consumerProperties);
        producerProperties = Map.copyOf(producerProperties);
        check(!bootstrapServers.isBlank(), "no bootstrap servers of Kafka are named");
        checkTopic(requestTopic);
        checkTopic(tokenTopic);
        checkTopic(deadLetterTopic);
        check(
                !requestTopic.equals(tokenTopic)
                        && !requestTopic.equals(deadLetterTopic)
                        && !tokenTopic.equals(deadLetterTopic),
                "requests, tokens and dead letters need three topics, and these are " + requestTopic + ", " + tokenTopic
                        + " and " + deadLetterTopic);
        check(
                maxRequestBytes > 0 && maxRequestBytes <= MAX_REQUEST_BYTES_LIMIT,
                "requests cannot have " + maxRequestBytes + " bytes: it must be more than 0 and at most "
                        + MAX_REQUEST_BYTES_LIMIT);
    }

    /** The usual topics of a cluster without security. */
    public static KafkaSettings of(String bootstrapServers) {
        return new KafkaSettings(
                bootstrapServers,
                REQUEST_TOPIC,
                TOKEN_TOPIC,
                DEAD_LETTER_TOPIC,
                MAX_REQUEST_BYTES,
                Map.of(),
                Map.of(),
                Map.of());
    }

    /** The same with other topics. */
    public KafkaSettings withTopics(String requests, String tokens, String deadLetters) {
        return new KafkaSettings(
                bootstrapServers,
                requests,
                tokens,
                deadLetters,
                maxRequestBytes,
                properties,
                consumerProperties,
                producerProperties);
    }

    /** The same with another limit of a request's size. */
    public KafkaSettings withMaxRequestBytes(int bytes) {
        return new KafkaSettings(
                bootstrapServers,
                requestTopic,
                tokenTopic,
                deadLetterTopic,
                bytes,
                properties,
                consumerProperties,
                producerProperties);
    }

    /** The same with properties of all clients, of consumers and of producers in place of those it had. */
    public KafkaSettings withProperties(
            Map<String, String> ofAll, Map<String, String> ofConsumers, Map<String, String> ofProducers) {
        return new KafkaSettings(
                bootstrapServers,
                requestTopic,
                tokenTopic,
                deadLetterTopic,
                maxRequestBytes,
                ofAll,
                ofConsumers,
                ofProducers);
    }

    /** Most bytes of a record: of the topics' {@code max.message.bytes} and producers' {@code max.request.size}. */
    public int maxRecordBytes() {
        return maxRequestBytes + RECORD_OVERHEAD_BYTES;
    }

    /**
     * A producer's configuration but for its serializers: a record is sent at once, and counts as sent when every
     * replica that is in sync has it.
     */
    public Map<String, Object> producerProperties(String clientId) {
        Map<String, Object> producer = clientProperties(clientId);
        producer.put("acks", "all");
        producer.put("enable.idempotence", "true");
        producer.put("linger.ms", "0");
        producer.put("max.request.size", Integer.toString(maxRecordBytes()));
        producer.put("buffer.memory", Integer.toString(Math.max(PRODUCER_BUFFER_BYTES, 2 * maxRecordBytes())));
        producer.putAll(properties);
        producer.putAll(producerProperties);
        return producer;
    }

    /**
     * A consumer's configuration but for its deserializers and its group: records are handed on at once, and those of a
     * transaction when it is committed.
     */
    public Map<String, Object> consumerProperties(String clientId) {
        Map<String, Object> consumer = clientProperties(clientId);
        consumer.put("enable.auto.commit", "false");
        consumer.put("isolation.level", "read_committed");
        consumer.put("fetch.min.bytes", "1");
        consumer.put("fetch.max.bytes", Integer.toString(Math.max(CONSUMER_FETCH_BYTES, maxRecordBytes())));
        consumer.put("max.partition.fetch.bytes", Integer.toString(Math.max(PARTITION_FETCH_BYTES, maxRecordBytes())));
        consumer.put("allow.auto.create.topics", "false");
        consumer.putAll(properties);
        consumer.putAll(consumerProperties);
        return consumer;
    }

    /** An admin client's configuration. */
    public Map<String, Object> adminProperties(String clientId) {
        Map<String, Object> admin = clientProperties(clientId);
        admin.putAll(properties);
        return admin;
    }

    private Map<String, Object> clientProperties(String clientId) {
        Map<String, Object> client = new HashMap<>();
        client.put("bootstrap.servers", bootstrapServers);
        client.put("client.id", requireNonNull(clientId, "clientId"));
        // A broker that comes back is found soon.
        client.put("reconnect.backoff.max.ms", "500");
        return client;
    }

    private static void checkTopic(String topic) {
        requireNonNull(topic, "topic");
        check(
                topic.matches("[a-zA-Z0-9._-]{1,249}") && !topic.equals(".") && !topic.equals(".."),
                "a topic cannot be named " + topic + ": only letters, digits, '.', '_' and '-', 249 at most");
    }

    private static void check(boolean condition, String message) {
        if (!condition) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, message);
        }
    }

    /** Without what may be a secret. */
    @Override
    public String toString() {
        return "KafkaSettings[" + bootstrapServers + ", " + requestTopic + ", " + tokenTopic + ", " + deadLetterTopic
                + "]";
    }
}
