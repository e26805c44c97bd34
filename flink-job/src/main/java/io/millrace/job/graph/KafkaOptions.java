package io.millrace.job.graph;

import static org.apache.flink.configuration.ConfigOptions.key;

import io.millrace.connector.kafka.KafkaChunkOptions;
import io.millrace.connector.kafka.KafkaRequestOptions;
import io.millrace.connector.kafka.records.KafkaSettings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.MemorySize;

/** The options of a job whose requests and chunks are in Kafka, and of the gateways to it. */
public final class KafkaOptions {
    /** Where clients begin. */
    public static final ConfigOption<String> BOOTSTRAP_SERVERS = key("millrace.kafka.bootstrap-servers")
            .stringType()
            .noDefaultValue()
            .withDescription("Where Kafka's clients begin: host:port, with commas between several.");

    /** Requests. */
    public static final ConfigOption<String> REQUEST_TOPIC = key("millrace.kafka.topics.requests")
            .stringType()
            .defaultValue(KafkaSettings.REQUEST_TOPIC)
            .withDescription("The topic of requests.");

    /** Chunks. */
    public static final ConfigOption<String> TOKEN_TOPIC = key("millrace.kafka.topics.tokens")
            .stringType()
            .defaultValue(KafkaSettings.TOKEN_TOPIC)
            .withDescription("The topic of token chunks.");

    /** What is no request. */
    public static final ConfigOption<String> DEAD_LETTER_TOPIC = key("millrace.kafka.topics.dead-letters")
            .stringType()
            .defaultValue(KafkaSettings.DEAD_LETTER_TOPIC)
            .withDescription("The topic of records of the request topic that are no requests.");

    /** Whether topics are made. */
    public static final ConfigOption<Boolean> CREATE_TOPICS = key("millrace.kafka.topics.create")
            .booleanType()
            .defaultValue(false)
            .withDescription("Whether whoever submits the job makes the topics that are not there.");

    /** Partitions of topics that are made. */
    public static final ConfigOption<Integer> TOPIC_PARTITIONS = key("millrace.kafka.topics.partitions")
            .intType()
            .defaultValue(4)
            .withDescription("Partitions of the topics of requests and of tokens, where they are made.");

    /** Copies of topics that are made. */
    public static final ConfigOption<Integer> TOPIC_REPLICATION = key("millrace.kafka.topics.replication")
            .intType()
            .defaultValue(-1)
            .withDescription("Copies of each partition, where topics are made; -1 is as many as the brokers make.");

    /** The largest request. */
    public static final ConfigOption<MemorySize> MAX_REQUEST_SIZE = key("millrace.kafka.max-request-size")
            .memoryType()
            .defaultValue(new MemorySize(KafkaSettings.MAX_REQUEST_BYTES))
            .withDescription("Most bytes of a request's message. The sizes that clients and topics are given follow"
                    + " from it: 64 KiB more for key and headers.");

    /** The job's consumer group. */
    public static final ConfigOption<String> GROUP_ID = key("millrace.kafka.source.group-id")
            .stringType()
            .defaultValue("millrace")
            .withDescription("The consumer group in which the job commits how far it has read.");

    /** Where a new job begins. */
    public static final ConfigOption<KafkaRequestOptions.Start> START = key("millrace.kafka.source.start")
            .enumType(KafkaRequestOptions.Start.class)
            .defaultValue(KafkaRequestOptions.Start.COMMITTED)
            .withDescription("Where a job begins to read that has no checkpoint or savepoint to go on from: COMMITTED"
                    + " is where its group has committed, and the earliest record if it has not; EARLIEST, LATEST.");

    /** New partitions. */
    public static final ConfigOption<Duration> DISCOVERY_INTERVAL = key("millrace.kafka.source.discovery-interval")
            .durationType()
            .defaultValue(Duration.ofSeconds(10))
            .withDescription("How often the job looks for new partitions of the request topic.");

    /** Delivery of chunks. */
    public static final ConfigOption<KafkaChunkOptions.Delivery> DELIVERY = key("millrace.kafka.sink.delivery")
            .enumType(KafkaChunkOptions.Delivery.class)
            .defaultValue(KafkaChunkOptions.Delivery.AT_LEAST_ONCE)
            .withDescription("at-least-once writes each chunk at once, and some again after a failure, with the same"
                    + " offsets. exactly-once writes each once, in transactions that end with a checkpoint: readers"
                    + " wait for that.");

    /** Names of transactions. */
    public static final ConfigOption<String> TRANSACTIONAL_ID_PREFIX =
            key("millrace.kafka.sink.transactional-id-prefix")
                    .stringType()
                    .defaultValue("millrace")
                    .withDescription(
                            "What the names of exactly-once's transactions begin with; another job's must differ.");

    /** How long transactions may last. */
    public static final ConfigOption<Duration> TRANSACTION_TIMEOUT = key("millrace.kafka.sink.transaction-timeout")
            .durationType()
            .defaultValue(Duration.ofMinutes(10))
            .withDescription("When brokers give up a transaction of exactly-once. At most their"
                    + " transaction.max.timeout.ms (15 min by default), and longer than any pause of the job: the"
                    + " chunks of a transaction that was given up are lost.");

    /** All clients' properties. */
    public static final ConfigOption<Map<String, String>> PROPERTIES = key("millrace.kafka.properties")
            .mapType()
            .defaultValue(Map.of())
            .withDescription("Properties of all Kafka clients, such as millrace.kafka.properties.security.protocol.");

    /** Consumers' properties. */
    public static final ConfigOption<Map<String, String>> CONSUMER_PROPERTIES =
            key("millrace.kafka.consumer.properties")
                    .mapType()
                    .defaultValue(Map.of())
                    .withDescription("Properties of Kafka's consumers, over those of all clients.");

    /** Producers' properties. */
    public static final ConfigOption<Map<String, String>> PRODUCER_PROPERTIES =
            key("millrace.kafka.producer.properties")
                    .mapType()
                    .defaultValue(Map.of())
                    .withDescription("Properties of Kafka's producers, over those of all clients.");

    private KafkaOptions() {}

    /** Every option. */
    static List<ConfigOption<?>> all() {
        return List.of(
                BOOTSTRAP_SERVERS,
                REQUEST_TOPIC,
                TOKEN_TOPIC,
                DEAD_LETTER_TOPIC,
                CREATE_TOPICS,
                TOPIC_PARTITIONS,
                TOPIC_REPLICATION,
                MAX_REQUEST_SIZE,
                GROUP_ID,
                START,
                DISCOVERY_INTERVAL,
                DELIVERY,
                TRANSACTIONAL_ID_PREFIX,
                TRANSACTION_TIMEOUT,
                PROPERTIES,
                CONSUMER_PROPERTIES,
                PRODUCER_PROPERTIES);
    }
}
