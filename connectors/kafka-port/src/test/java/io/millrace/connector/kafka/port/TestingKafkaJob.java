package io.millrace.connector.kafka.port;

import io.millrace.connector.kafka.records.KafkaRecords;
import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.connector.port.TurnKey;
import io.millrace.kv.ErrorCode;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.TurnFailed;
import io.millrace.proto.TurnFinished;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * A job behind Kafka as ports see one: runs each turn once, one token of every turn a round, and answers repetitions as
 * SessionRouter and Decode do. A turn has as many tokens as its request allows.
 */
final class TestingKafkaJob implements AutoCloseable {
    private static final Duration ROUND = Duration.ofMillis(2);

    private final KafkaSettings settings;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Thread thread = new Thread(this::run, "testing-job");
    private final Map<TurnKey, Running> turns = new LinkedHashMap<>();
    private final Map<TurnKey, Integer> requestCounts = new HashMap<>();
    private Set<TopicPartition> assigned = Set.of();
    private int tokensAtOnceMax = Integer.MAX_VALUE;
    private boolean outputsHeld = true;
    private volatile boolean closed;
    private volatile @Nullable Throwable failure;

    TestingKafkaJob(KafkaSettings settings) {
        this.settings = settings;
        Map<String, Object> properties = settings.consumerProperties("testing-job");
        properties.put("auto.offset.reset", OffsetResetStrategy.EARLIEST.toString());
        properties.put("metadata.max.age.ms", "1000");
        consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        Map<String, Object> producing = settings.producerProperties("testing-job");
        producing.put("metadata.max.age.ms", "1000");
        // Where a topic is made again, a batch that was refused is tried again behind a later one that was taken, which
        // an idempotent producer does until the delivery's time is up: a job would then fail over.
        producing.put("delivery.timeout.ms", "10000");
        producing.put("request.timeout.ms", "5000");
        producer = new KafkaProducer<>(producing, new ByteArraySerializer(), new ByteArraySerializer());
        thread.start();
    }

    /** No turn gets beyond so many tokens until the next call. */
    synchronized void holdAt(int tokens) {
        tokensAtOnceMax = tokens;
    }

    synchronized void goOn() {
        tokensAtOnceMax = Integer.MAX_VALUE;
    }

    /** From now on the output of turns that have ended is not held. */
    synchronized void dropOutputs() {
        outputsHeld = false;
    }

    /** Requests that came, repetitions and all. */
    synchronized int requestCount(String sessionId, String requestId) {
        return requestCounts.getOrDefault(new TurnKey(sessionId, requestId), 0);
    }

    /** Turns that were begun. */
    synchronized int turnCount() {
        return turns.size();
    }

    /** The turn that was begun, where there is one. */
    synchronized TurnKey onlyTurn() {
        if (turns.size() != 1) {
            throw new AssertionError("not one turn: " + turns.keySet());
        }
        return turns.keySet().iterator().next();
    }

    private void run() {
        try {
            while (!closed) {
                assign();
                if (assigned.isEmpty()) {
                    continue;
                }
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(ROUND)) {
                    take(KafkaRecords.decodeRequest(record));
                }
                step();
            }
        } catch (Throwable e) {
            failure = e;
        }
    }

    private void assign() {
        List<PartitionInfo> infos;
        try {
            infos = consumer.partitionsFor(settings.requestTopic(), Duration.ofSeconds(5));
        } catch (TimeoutException e) {
            // There is no broker now; the next round asks again.
            return;
        }
        Set<TopicPartition> partitions = new HashSet<>();
        for (PartitionInfo info : infos == null ? List.<PartitionInfo>of() : infos) {
            partitions.add(new TopicPartition(info.topic(), info.partition()));
        }
        if (!partitions.isEmpty() && !partitions.equals(assigned)) {
            consumer.assign(partitions);
            assigned = partitions;
        }
    }

    private synchronized void take(AgentRequest request) {
        TurnKey key = TurnKey.of(request);
        Running turn = turns.get(key);
        requestCounts.merge(key, 1, Integer::sum);
        if (request.hasCancel()) {
            if (turn != null && turn.end == null) {
                turn.finish(TurnFinished.Reason.CANCELLED);
            }
        } else if (turn != null) {
            repeat(turn);
        } else if (request.hasResend()) {
            send(failed(key, ErrorCode.TURN_NOT_FOUND));
        } else {
            turn = new Running(key, request.getChat().getSampling().getMaxTokens());
            turns.put(key, turn);
            if (request.hasClose()) {
                turn.finish(TurnFinished.Reason.CLOSED);
            }
        }
    }

    private void repeat(Running turn) {
        if (turn.end != null && !outputsHeld) {
            send(failed(turn.key, ErrorCode.OUTPUT_NOT_HELD));
            return;
        }
        turn.chunks.forEach(this::send);
    }

    private synchronized void step() {
        for (Running turn : new ArrayList<>(turns.values())) {
            if (turn.end != null) {
                continue;
            }
            if (turn.chunks.size() >= turn.tokenCount) {
                turn.finish(TurnFinished.Reason.LENGTH);
            } else if (turn.chunks.size() < tokensAtOnceMax) {
                turn.add(turn.chunk()
                        .addTokenIds(token(turn.key, turn.chunks.size()))
                        .setContent("t" + turn.chunks.size() + " "));
            }
        }
    }

    /** A turn's token at an offset. */
    static int token(TurnKey turn, int offset) {
        return Math.floorMod(31 * turn.hashCode() + offset, 32_000);
    }

    private void send(TokenChunk chunk) {
        var unused = producer.send(KafkaRecords.encode(chunk, settings.tokenTopic()));
    }

    private static TokenChunk failed(TurnKey key, ErrorCode code) {
        return TokenChunk.newBuilder()
                .setSessionId(key.sessionId())
                .setRequestId(key.requestId())
                .setFailed(TurnFailed.newBuilder()
                        .setCode(code.name())
                        .setCategory(code.category().name())
                        .setMessage("test"))
                .build();
    }

    @Override
    public void close() throws InterruptedException {
        closed = true;
        thread.join(30_000);
        producer.close(Duration.ofSeconds(1));
        consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ofSeconds(1)));
        if (failure != null) {
            throw new AssertionError("the testing job failed", failure);
        }
    }

    private final class Running {
        private final TurnKey key;
        private final int tokenCount;
        private final List<TokenChunk> chunks = new ArrayList<>();
        private @Nullable TokenChunk end;

        Running(TurnKey key, int tokenCount) {
            this.key = key;
            this.tokenCount = tokenCount;
        }

        TokenChunk.Builder chunk() {
            return TokenChunk.newBuilder()
                    .setSessionId(key.sessionId())
                    .setRequestId(key.requestId())
                    .setOffset(chunks.size());
        }

        void add(TokenChunk.Builder chunk) {
            chunks.add(chunk.build());
            send(chunks.get(chunks.size() - 1));
        }

        void finish(TurnFinished.Reason reason) {
            int tokens = chunks.size();
            add(chunk().setFinished(TurnFinished.newBuilder().setReason(reason).setCompletionTokens(tokens)));
            end = chunks.get(chunks.size() - 1);
        }
    }
}
