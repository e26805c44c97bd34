package io.millrace.connector.kafka.records;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;

/** Makes the topics that Millrace needs, and checks those that are there. */
public final class KafkaTopics {
    private static final String MAX_MESSAGE_BYTES = "max.message.bytes";
    private static final long POLL_MS = 50;

    private KafkaTopics() {}

    /**
     * How topics are made.
     *
     * @param partitions of requests and of tokens; dead letters have one
     * @param replication copies of each partition; -1 is as many as the brokers make by default
     * @param limit how long to wait for the brokers
     */
    public record Layout(int partitions, int replication, Duration limit) {
        public Layout {
            if (partitions < 1 || replication == 0 || replication < -1 || replication > Short.MAX_VALUE) {
                throw new ServingException(
                        ErrorCode.INVALID_REQUEST,
                        "topics cannot have " + partitions + " partitions and replication " + replication);
            }
            requireNonNull(limit, "limit");
        }
    }

    /**
     * Makes the three topics, of which some may be there, and waits until they can be used.
     *
     * @return how many partitions each has
     * @throws ServingException {@code UNAVAILABLE} if the brokers do not answer, or refuse; {@code INVALID_REQUEST} if
     *     a topic is there that does not take records as large as the settings have them
     */
    public static Map<String, Integer> ensure(KafkaSettings settings, Layout layout) throws InterruptedException {
        try (AdminCalls calls = new AdminCalls(settings, layout.limit())) {
            for (String topic : topics(settings)) {
                if (calls.describe(topic).isPresent()) {
                    checkSize(calls, topic, settings);
                } else {
                    int partitions = topic.equals(settings.deadLetterTopic()) ? 1 : layout.partitions();
                    calls.create(new NewTopic(topic, partitions, (short) layout.replication())
                            .configs(Map.of(MAX_MESSAGE_BYTES, Integer.toString(settings.maxRecordBytes()))));
                }
            }
            Map<String, Integer> counts = new LinkedHashMap<>();
            for (String topic : topics(settings)) {
                counts.put(topic, awaitPartitions(calls, topic));
            }
            return counts;
        }
    }

    /**
     * How many partitions each of the three topics has.
     *
     * @throws ServingException {@code UNAVAILABLE} if the brokers do not answer in time, or a topic is not there
     */
    public static Map<String, Integer> partitionCounts(KafkaSettings settings, Duration limit)
            throws InterruptedException {
        Map<String, Integer> counts = new LinkedHashMap<>();
        try (AdminCalls calls = new AdminCalls(settings, limit)) {
            for (String topic : topics(settings)) {
                TopicDescription known = calls.describe(topic)
                        .orElseThrow(() -> new ServingException(
                                ErrorCode.UNAVAILABLE,
                                "Kafka at " + settings.bootstrapServers() + " has no topic " + topic));
                counts.put(topic, known.partitions().size());
            }
        }
        return counts;
    }

    /**
     * Deletes topics, of which some may not be there, and waits until they are gone.
     *
     * @throws ServingException {@code UNAVAILABLE} if the brokers do not answer in time, or refuse
     */
    public static void delete(KafkaSettings settings, List<String> topics, Duration limit) throws InterruptedException {
        try (AdminCalls calls = new AdminCalls(settings, limit)) {
            for (String topic : topics) {
                calls.delete(List.of(topic));
                while (calls.describe(topic).isPresent()) {
                    calls.checkTime("delete topic " + topic);
                    Thread.sleep(POLL_MS);
                }
            }
        }
    }

    private static List<String> topics(KafkaSettings settings) {
        return List.of(settings.requestTopic(), settings.tokenTopic(), settings.deadLetterTopic());
    }

    private static void checkSize(AdminCalls calls, String topic, KafkaSettings settings) throws InterruptedException {
        String bytes = calls.setting(topic, MAX_MESSAGE_BYTES);
        if (!topic.equals(settings.tokenTopic()) && Long.parseLong(bytes) < settings.maxRecordBytes()) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    "topic " + topic + " takes records of " + bytes + " bytes (" + MAX_MESSAGE_BYTES
                            + "), and requests of " + settings.maxRequestBytes() + " bytes need "
                            + settings.maxRecordBytes());
        }
    }

    /** A topic that was made is known to every broker a little later. */
    private static int awaitPartitions(AdminCalls calls, String topic) throws InterruptedException {
        Optional<TopicDescription> known = calls.describe(topic);
        while (known.isEmpty() || known.get().partitions().stream().anyMatch(part -> part.leader() == null)) {
            calls.checkTime("have topic " + topic + " ready");
            Thread.sleep(POLL_MS);
            known = calls.describe(topic);
        }
        return known.get().partitions().size();
    }
}
