package io.millrace.connector.kafka.port;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.records.KafkaRecords;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.AgentRequest;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends requests to their topic, in the order in which they are given, each when its turn's chunks are sure to be read.
 * Sending can wait for Kafka, so a thread of its own does it.
 */
final class RequestSender implements Runnable {
    /** Hears how it went: with null if Kafka has the request. Called by threads of Kafka's client, must be quick. */
    interface Outcome {
        void done(@Nullable ServingException error);
    }

    /**
     * One request to be sent.
     *
     * @param partitions of the token topic that must be read first
     * @param deadlineNanos when it is too late to send it
     */
    record Outgoing(AgentRequest request, List<Integer> partitions, long deadlineNanos, Outcome outcome) {}

    private static final Logger LOG = LoggerFactory.getLogger(RequestSender.class);
    private static final long IDLE_MS = 200;

    private final Supplier<Producer<byte[], byte[]>> producers;
    private final String topic;
    private final TokenReader reader;
    private final LongSupplier nanoTime;
    private final BlockingQueue<Outgoing> queue;
    private volatile boolean closed;
    /** Owned by the sender's thread. */
    private Producer<byte[], byte[]> producer;

    /** @param capacity requests that may wait */
    RequestSender(
            Supplier<Producer<byte[], byte[]>> producers,
            String topic,
            TokenReader reader,
            LongSupplier nanoTime,
            int capacity) {
        this.producers = requireNonNull(producers, "producers");
        this.topic = requireNonNull(topic, "topic");
        this.reader = requireNonNull(reader, "reader");
        this.nanoTime = requireNonNull(nanoTime, "nanoTime");
        this.queue = new ArrayBlockingQueue<>(capacity);
        this.producer = producers.get();
    }

    /** Sends a request, soon; false if too many wait. */
    boolean offer(Outgoing outgoing) {
        return !closed && queue.offer(outgoing);
    }

    /** Requests that wait. */
    int waitingCount() {
        return queue.size();
    }

    void close() {
        closed = true;
    }

    @Override
    public void run() {
        try {
            while (!closed || !queue.isEmpty()) {
                Outgoing next = queue.poll(IDLE_MS, TimeUnit.MILLISECONDS);
                if (next != null) {
                    send(next);
                }
            }
        } catch (InterruptedException e) {
            LOG.debug("The sender was told to end", e);
        }
        for (Outgoing left = queue.poll(); left != null; left = queue.poll()) {
            left.outcome().done(unavailable("the gateway is stopping", null));
        }
        producer.close(Duration.ofSeconds(2));
    }

    private void send(Outgoing outgoing) throws InterruptedException {
        // Who waits for a turn has been told that the gateway stops; a cancellation still counts.
        if (closed && !outgoing.partitions().isEmpty()) {
            outgoing.outcome().done(unavailable("the gateway is stopping", null));
            return;
        }
        for (int partition : outgoing.partitions()) {
            if (!reader.awaitReadable(partition, outgoing.deadlineNanos())) {
                outgoing.outcome().done(unavailable("Kafka does not answer, so no tokens could be read", null));
                return;
            }
        }
        try {
            sendInTime(outgoing);
        } catch (InterruptException e) {
            outgoing.outcome().done(failure(e));
            throw new InterruptedException();
        } catch (KafkaException e) {
            // A producer that failed for good refuses everything from then on.
            LOG.warn("The producer of {} failed and is made anew", topic, e);
            renew();
            sendOrFail(KafkaRecords.encode(outgoing.request(), topic), outgoing.outcome());
        }
    }

    private void sendInTime(Outgoing outgoing) {
        while (outgoing.deadlineNanos() - nanoTime.getAsLong() > 0) {
            try {
                // Where brokers are is forgotten while none answers: sending would fail before its time.
                if (producer.partitionsFor(topic).isEmpty()) {
                    continue;
                }
                send(KafkaRecords.encode(outgoing.request(), topic), outgoing.outcome());
                return;
            } catch (TimeoutException e) {
                LOG.debug("Topic {} is not found yet", topic, e);
            }
        }
        outgoing.outcome().done(unavailable("Kafka does not take requests now", null));
    }

    private void send(ProducerRecord<byte[], byte[]> record, Outcome outcome) {
        var unused = producer.send(record, (metadata, error) -> outcome.done(error == null ? null : failure(error)));
    }

    private void sendOrFail(ProducerRecord<byte[], byte[]> record, Outcome outcome) {
        try {
            send(record, outcome);
        } catch (KafkaException e) {
            outcome.done(failure(e));
        }
    }

    private void renew() {
        producer.close(Duration.ZERO);
        producer = producers.get();
    }

    private static ServingException failure(Exception error) {
        if (error instanceof RecordTooLargeException) {
            return new ServingException(ErrorCode.INVALID_REQUEST, "the request is too large: " + error.getMessage());
        }
        return unavailable("Kafka did not take the request: " + error.getMessage(), error);
    }

    private static ServingException unavailable(String message, @Nullable Throwable cause) {
        return new ServingException(ErrorCode.UNAVAILABLE, message, cause);
    }
}
