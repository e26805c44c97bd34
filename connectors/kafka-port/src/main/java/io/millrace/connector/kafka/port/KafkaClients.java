package io.millrace.connector.kafka.port;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.records.KafkaSettings;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Makes a port's clients of Kafka: what the settings say, over what a port needs of its own. */
final class KafkaClients {
    private static final int REQUEST_TIMEOUT_MS = 10_000;
    private static final int BLOCK_MS = 5_000;
    private static final int FETCH_WAIT_MS = 25;
    private static final int POLL_RECORDS_MAX = 4096;
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final KafkaSettings settings;
    private final KafkaPortOptions options;
    private final String clientId =
            "millrace-gateway-" + ProcessHandle.current().pid() + "-";

    KafkaClients(KafkaSettings settings, KafkaPortOptions options) {
        this.settings = requireNonNull(settings, "settings");
        this.options = requireNonNull(options, "options");
    }

    Producer<byte[], byte[]> producer() {
        Map<String, Object> properties = settings.producerProperties(nextId());
        int deliveryMs = (int) options.acceptTimeout().toMillis();
        properties.putIfAbsent("delivery.timeout.ms", deliveryMs);
        properties.putIfAbsent("request.timeout.ms", Math.min(REQUEST_TIMEOUT_MS, deliveryMs));
        properties.putIfAbsent("max.block.ms", Math.min(BLOCK_MS, deliveryMs));
        return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /** A consumer without a group, which fails where its place in a partition is lost. */
    Consumer<byte[], byte[]> consumer() {
        Map<String, Object> properties = settings.consumerProperties(nextId());
        // A partition that is added waits for the fetch that is under way.
        properties.putIfAbsent("fetch.max.wait.ms", FETCH_WAIT_MS);
        properties.putIfAbsent("max.poll.records", POLL_RECORDS_MAX);
        properties.put("auto.offset.reset", "none");
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** A consumer that reads what is retained. */
    Consumer<byte[], byte[]> scanConsumer() {
        Map<String, Object> properties = settings.consumerProperties(nextId());
        properties.put("auto.offset.reset", "earliest");
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    Admin admin() {
        return Admin.create(settings.adminProperties(nextId()));
    }

    private String nextId() {
        return clientId + NUMBER.incrementAndGet();
    }
}
