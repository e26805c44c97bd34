package io.millrace.job.graph;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.kafka.records.KafkaRecords;
import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.TokenChunk;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Writes requests and reads chunks and dead letters, as clients of the topics do. */
final class TestingKafkaClient implements AutoCloseable {
    private static final long TIMEOUT_SECONDS = 90;

    private final KafkaSettings settings;
    private final KafkaProducer<byte[], byte[]> producer;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final Map<String, List<TokenChunk>> chunks = new LinkedHashMap<>();
    private final List<ConsumerRecord<byte[], byte[]>> deadLetters = new ArrayList<>();

    TestingKafkaClient(KafkaSettings settings) {
        this.settings = settings;
        this.producer = new KafkaProducer<>(
                settings.producerProperties("client"), new ByteArraySerializer(), new ByteArraySerializer());
        Map<String, Object> properties = settings.consumerProperties("client");
        properties.put("auto.offset.reset", "earliest");
        this.consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        List<TopicPartition> partitions = new ArrayList<>();
        for (String topic : List.of(settings.tokenTopic(), settings.deadLetterTopic())) {
            for (PartitionInfo info : consumer.partitionsFor(topic)) {
                partitions.add(new TopicPartition(topic, info.partition()));
            }
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
    }

    /** Sends requests and waits until Kafka has them. */
    void send(AgentRequest... requests) throws Exception {
        for (AgentRequest request : requests) {
            producer.send(KafkaRecords.encode(request, settings.requestTopic()));
        }
        producer.flush();
    }

    /** Sends a record some time soon. */
    void sendLater(ProducerRecord<byte[], byte[]> record) {
        producer.send(record);
    }

    /** Sends a record and waits until Kafka has it; fails with Kafka's own error. */
    void sendRecord(ProducerRecord<byte[], byte[]> record) throws Exception {
        try {
            producer.send(record).get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw (Exception) e.getCause();
        }
    }

    /** Reads until something is so. */
    void readUntil(String what, BooleanSupplier condition) {
        long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime())
                    .as("in time: %s; there are %s", what, summary())
                    .isLessThan(deadlineNanos);
            read(Duration.ofMillis(100));
        }
    }

    /** Reads until every one of these requests has a last chunk. */
    void readAnswers(Collection<AgentRequest> requests) {
        readUntil("every turn ends", () -> requests.stream().allMatch(this::isAnswered));
    }

    /** Reads what is there and for so long no more comes. */
    void readRest(Duration quiet) {
        while (read(quiet) > 0) {}
    }

    private int read(Duration limit) {
        int count = 0;
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(limit)) {
            count++;
            if (record.topic().equals(settings.deadLetterTopic())) {
                deadLetters.add(record);
            } else {
                TokenChunk chunk = KafkaRecords.decodeChunk(record);
                assertThat(record.key()).isEqualTo(KafkaRecords.key(chunk.getSessionId()));
                chunks.computeIfAbsent(name(chunk.getSessionId(), chunk.getRequestId()), name -> new ArrayList<>())
                        .add(chunk);
            }
        }
        return count;
    }

    boolean isAnswered(AgentRequest request) {
        return written(request).stream().anyMatch(TestingKafkaClient::isLast);
    }

    /** Every chunk of a turn as it was written, repetitions included. */
    List<TokenChunk> written(AgentRequest request) {
        return chunks.getOrDefault(name(request.getSessionId(), request.getRequestId()), List.of());
    }

    /** The chunks of a turn that a reader keeps who drops offsets he has; checks that none is missing. */
    List<TokenChunk> kept(AgentRequest request) {
        List<TokenChunk> kept = new ArrayList<>();
        int next = 0;
        for (TokenChunk chunk : written(request)) {
            boolean ended = !kept.isEmpty() && isLast(kept.get(kept.size() - 1));
            if (ended || chunk.getOffset() < next || chunk.getOffset() == next && !isLast(chunk) && !hasTokens(chunk)) {
                continue;
            }
            assertThat(chunk.getOffset())
                    .as("no gap in %s of %s", request.getRequestId(), request.getSessionId())
                    .isEqualTo(next);
            next += chunk.getTokenIdsCount();
            kept.add(chunk);
        }
        return kept;
    }

    /** The tokens of a turn. */
    List<Integer> tokens(AgentRequest request) {
        List<Integer> tokens = new ArrayList<>();
        kept(request).forEach(chunk -> tokens.addAll(chunk.getTokenIdsList()));
        return tokens;
    }

    /** The last chunk of a turn. */
    TokenChunk last(AgentRequest request) {
        List<TokenChunk> kept = kept(request);
        return kept.get(kept.size() - 1);
    }

    List<ConsumerRecord<byte[], byte[]>> deadLetters() {
        return deadLetters;
    }

    private static boolean isLast(TokenChunk chunk) {
        return chunk.hasFinished() || chunk.hasFailed();
    }

    private static boolean hasTokens(TokenChunk chunk) {
        return chunk.getTokenIdsCount() > 0;
    }

    private static String name(String sessionId, String requestId) {
        return sessionId + "/" + requestId;
    }

    private String summary() {
        long ended = chunks.values().stream()
                .filter(turn -> turn.stream().anyMatch(TestingKafkaClient::isLast))
                .count();
        return chunks.size() + " turns, of which " + ended + " ended, and " + deadLetters.size() + " dead letters";
    }

    @Override
    public void close() {
        producer.close(Duration.ZERO);
        consumer.close();
    }
}
