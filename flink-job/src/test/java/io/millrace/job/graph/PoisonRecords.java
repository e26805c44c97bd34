package io.millrace.job.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

/** Records that are no requests, of several kinds, each with a number in a header. */
final class PoisonRecords {
    private static final String NUMBER = "number";
    private static final List<String> REASONS = List.of(
            "no AgentRequest",
            "no AgentRequest",
            "schema version \"9\"",
            "no value",
            "names no session",
            "no AgentRequest");

    private final String topic;
    private final long seed;
    private final Random random;
    private final List<ProducerRecord<byte[], byte[]>> made = new ArrayList<>();

    PoisonRecords(String topic, long seed) {
        this.topic = topic;
        this.seed = seed;
        this.random = new Random(seed);
    }

    ProducerRecord<byte[], byte[]> next() {
        int number = made.size();
        byte[] key = number % 4 == 0 ? null : new byte[] {(byte) number};
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, key, value(number % REASONS.size()));
        record.headers().add(NUMBER, Integer.toString(number).getBytes(StandardCharsets.US_ASCII));
        if (number % REASONS.size() == 2) {
            record.headers().add("millrace-schema-version", new byte[] {'9'});
        }
        made.add(record);
        return record;
    }

    private byte @Nullable [] value(int kind) {
        byte[] good = TestingJob.request("poisoned", "r", "hello", 5).toByteArray();
        return switch (kind) {
            // A tag of no wire type.
            case 0 -> randomBytes((byte) 0x0f);
            case 1 -> Arrays.copyOf(good, good.length - 1 - random.nextInt(3));
            case 2 -> good;
            case 3 -> null;
            case 4 -> new byte[0];
            default -> "{\"session\": \"s\"}".getBytes(StandardCharsets.UTF_8);
        };
    }

    private byte[] randomBytes(byte first) {
        byte[] bytes = new byte[1 + random.nextInt(2000)];
        random.nextBytes(bytes);
        bytes[0] = first;
        return bytes;
    }

    /** Each record is among the dead letters once, as it was, with the reason and where it was. */
    void assertAreIn(List<ConsumerRecord<byte[], byte[]>> letters) {
        assertThat(letters).as("seed %s", seed).hasSameSizeAs(made);
        Set<String> places = new HashSet<>();
        Set<Integer> numbers = new HashSet<>();
        for (ConsumerRecord<byte[], byte[]> letter : letters) {
            int number = Integer.parseInt(header(letter, NUMBER));
            numbers.add(number);
            assertThat(letter.key()).isEqualTo(made.get(number).key());
            assertThat(letter.value()).isEqualTo(made.get(number).value());
            assertThat(header(letter, "millrace-dead-reason")).contains(REASONS.get(number % REASONS.size()));
            assertThat(header(letter, "millrace-dead-topic")).isEqualTo(topic);
            assertThat(Long.parseLong(header(letter, "millrace-dead-timestamp")))
                    .isPositive();
            places.add(header(letter, "millrace-dead-partition") + "/" + header(letter, "millrace-dead-offset"));
        }
        assertThat(numbers).as("seed %s", seed).hasSameSizeAs(made);
        assertThat(places).as("seed %s", seed).hasSameSizeAs(made);
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }
}
