package io.millrace.connector.kafka.port;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.records.KafkaRecords;
import io.millrace.connector.port.OrderedTurnStream;
import io.millrace.connector.port.TurnKey;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.TokenChunk;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the chunks of a turn that has ended among the records that the token topic retains, latest records first: in
 * windows from the partition's end, each larger than the one before it, up to a bound.
 */
final class RetainedChunks {
    private static final Logger LOG = LoggerFactory.getLogger(RetainedChunks.class);
    private static final long FIRST_WINDOW_RECORDS = 1 << 15;
    private static final long WINDOW_GROWTH = 16;
    private static final Duration ANSWER = Duration.ofSeconds(5);
    private static final Duration POLL = Duration.ofSeconds(1);
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final Supplier<Consumer<byte[], byte[]>> consumers;
    private final String topic;
    private final long recordsMax;
    private final LongSupplier nanoTime;

    /** @param recordsMax records of a partition that are looked through */
    RetainedChunks(Supplier<Consumer<byte[], byte[]>> consumers, String topic, long recordsMax, LongSupplier nanoTime) {
        this.consumers = requireNonNull(consumers, "consumers");
        this.topic = requireNonNull(topic, "topic");
        this.recordsMax = recordsMax;
        this.nanoTime = requireNonNull(nanoTime, "nanoTime");
    }

    /**
     * The turn's chunks, in the order of their offsets; complete only if all of them are there.
     *
     * @throws org.apache.kafka.common.KafkaException if the topic cannot be read
     */
    OrderedTurnStream find(TurnKey turn, int partition) {
        long deadlineNanos = nanoTime.getAsLong() + LIMIT_NANOS;
        TopicPartition topicPartition = new TopicPartition(topic, partition);
        try (Consumer<byte[], byte[]> consumer = consumers.get()) {
            consumer.assign(List.of(topicPartition));
            long begin = offset(consumer.beginningOffsets(List.of(topicPartition), ANSWER));
            long end = offset(consumer.endOffsets(List.of(topicPartition), ANSWER));
            long window = Math.min(FIRST_WINDOW_RECORDS, recordsMax);
            while (true) {
                long start = Math.max(begin, end - window);
                consumer.seek(topicPartition, start);
                OrderedTurnStream found = read(consumer, turn, topicPartition, end, deadlineNanos);
                boolean last = start == begin || window >= recordsMax || deadlineNanos - nanoTime.getAsLong() <= 0;
                if (found.isComplete() || last) {
                    LOG.info("Turn {}: {} in {}", turn, found.isComplete() ? "found" : "not found", topicPartition);
                    return found;
                }
                window = Math.min(window * WINDOW_GROWTH, recordsMax);
            }
        }
    }

    private static long offset(Map<TopicPartition, Long> ofOnePartition) {
        return ofOnePartition.values().iterator().next();
    }

    private OrderedTurnStream read(
            Consumer<byte[], byte[]> consumer, TurnKey turn, TopicPartition partition, long end, long deadlineNanos) {
        byte[] key = KafkaRecords.key(turn.sessionId());
        OrderedTurnStream found = new OrderedTurnStream(turn);
        while (consumer.position(partition, ANSWER) < end
                && !found.isComplete()
                && deadlineNanos - nanoTime.getAsLong() > 0) {
            ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
            for (ConsumerRecord<byte[], byte[]> record : records.records(partition)) {
                if (Arrays.equals(record.key(), key)) {
                    append(record, found);
                }
            }
        }
        return found;
    }

    private static void append(ConsumerRecord<byte[], byte[]> record, OrderedTurnStream found) {
        try {
            TokenChunk chunk = KafkaRecords.decodeChunk(record);
            // A failure ends a turn across a gap, which here only says that its beginning is further back.
            boolean gap = chunk.getOffset() > found.tokenCount();
            if (TurnKey.of(chunk).equals(found.key()) && !gap && !isAnswerToRepetition(chunk)) {
                var unused = found.append(chunk);
            }
        } catch (ServingException e) {
            LOG.debug("A record at offset {} is no chunk: {}", record.offset(), e.getMessage());
        }
    }

    /** Whether a chunk says that the job cannot send the turn again: no end of the turn itself. */
    static boolean isAnswerToRepetition(TokenChunk chunk) {
        String code = chunk.getFailed().getCode();
        return code.equals(ErrorCode.OUTPUT_NOT_HELD.name()) || code.equals(ErrorCode.TURN_NOT_FOUND.name());
    }
}
