package io.millrace.connector.kafka.port;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.records.KafkaRecords;
import io.millrace.kv.ServingException;
import io.millrace.proto.TokenChunk;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.InvalidOffsetException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.WakeupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads those partitions of the token topic that turns are open in, from the end that each had when it was first
 * wanted; one that its topic lost under it, from the beginning. Without a consumer group: every gateway reads for
 * itself.
 */
final class TokenReader implements Runnable {
    /** Who the chunks are for. Called by the reader's thread. */
    interface Receiver {
        /** Whether a turn of this session is open. May be called for every record of the topic. */
        boolean wants(String sessionId);

        /** A chunk of a session that is wanted. */
        void receive(TokenChunk chunk);

        /** Records of these partitions may be lost that nobody here has read. */
        void lost(Set<Integer> partitions);
    }

    private static final Logger LOG = LoggerFactory.getLogger(TokenReader.class);
    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final long PAUSE_MS = 500;
    /** A partition that is not wanted is read for so long all the same: its next turn then need not wait. */
    private static final long LINGER_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final Supplier<Consumer<byte[], byte[]>> consumers;
    private final String topic;
    private final Receiver receiver;
    private final LongSupplier nanoTime;

    private final Object lock = new Object();
    /** How often each partition is wanted. */
    private final Map<Integer, Integer> wanted = new HashMap<>();
    /** Since when each partition is not wanted any more. */
    private final Map<Integer, Long> unwantedSince = new HashMap<>();
    /** Partitions whose next record is known: what is written from now on will be read. */
    private final Set<Integer> readable = new HashSet<>();
    /** Partitions to be read from their beginning. */
    private final Set<Integer> fresh = new HashSet<>();

    private boolean polling;
    private boolean closed;
    private boolean restarting;

    /** Owned by the reader's thread, but for its {@code wakeup}. */
    private volatile Consumer<byte[], byte[]> consumer;
    /** The next record of each partition that is read; owned by the reader's thread. */
    private final Map<TopicPartition, Long> positions = new HashMap<>();

    TokenReader(Supplier<Consumer<byte[], byte[]>> consumers, String topic, Receiver receiver, LongSupplier nanoTime) {
        this.consumers = requireNonNull(consumers, "consumers");
        this.topic = requireNonNull(topic, "topic");
        this.receiver = requireNonNull(receiver, "receiver");
        this.nanoTime = requireNonNull(nanoTime, "nanoTime");
        this.consumer = consumers.get();
    }

    /** Has a partition read until it is {@link #release}d as often as it was wanted. */
    void want(int partition) {
        synchronized (lock) {
            wanted.merge(partition, 1, Integer::sum);
            unwantedSince.remove(partition);
            if (!readable.contains(partition)) {
                wake();
            }
        }
    }

    void release(int partition) {
        synchronized (lock) {
            int left = wanted.merge(partition, -1, Integer::sum);
            if (left == 0) {
                wanted.remove(partition);
                unwantedSince.put(partition, nanoTime.getAsLong());
            }
        }
    }

    /** Waits until what is written to a partition from now on will be read; false if that takes too long. */
    boolean awaitReadable(int partition, long deadlineNanos) throws InterruptedException {
        synchronized (lock) {
            while (!readable.contains(partition) && !closed) {
                long leftNanos = deadlineNanos - nanoTime.getAsLong();
                if (leftNanos <= 0) {
                    return false;
                }
                TimeUnit.NANOSECONDS.timedWait(lock, leftNanos);
            }
            return !closed;
        }
    }

    /** Reads these partitions from their beginning: they are new. */
    void startFromBeginning(Set<Integer> partitions) {
        synchronized (lock) {
            fresh.addAll(partitions);
        }
    }

    /** The topic has been made again: reads all of it that is wanted, from the beginning. */
    void restart() {
        synchronized (lock) {
            restarting = true;
            readable.clear();
            wake();
        }
    }

    /** Partitions that are being read. */
    int readableCount() {
        synchronized (lock) {
            return readable.size();
        }
    }

    void close() {
        synchronized (lock) {
            closed = true;
            wake();
        }
    }

    private void wake() {
        lock.notifyAll();
        if (polling) {
            consumer.wakeup();
        }
    }

    @Override
    public void run() {
        while (!isClosed()) {
            try {
                step();
            } catch (WakeupException e) {
                // There is something else to do.
            } catch (InvalidOffsetException e) {
                lose(e.partitions());
            } catch (RetriableException e) {
                LOG.warn("Chunks cannot be read from {} now: {}", topic, e.toString());
                pause();
            } catch (InterruptException | InterruptedException e) {
                break;
            } catch (RuntimeException e) {
                LOG.warn("The consumer of {} failed and is made anew", topic, e);
                pause();
                reopen();
            }
        }
        consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ZERO));
    }

    private boolean isClosed() {
        synchronized (lock) {
            return closed;
        }
    }

    private void step() throws InterruptedException {
        renewIfRestarting();
        Set<Integer> target;
        synchronized (lock) {
            target = target();
            if (target.isEmpty() && positions.isEmpty()) {
                lock.wait(POLL.toMillis());
                return;
            }
            polling = isAssigned(target);
        }
        if (!isAssigned(target)) {
            assign(target);
            return;
        }
        ConsumerRecords<byte[], byte[]> records;
        try {
            records = consumer.poll(POLL);
        } finally {
            synchronized (lock) {
                polling = false;
            }
        }
        for (TopicPartition partition : records.partitions()) {
            List<ConsumerRecord<byte[], byte[]>> read = records.records(partition);
            read.forEach(this::receive);
            positions.put(partition, read.get(read.size() - 1).offset() + 1);
        }
    }

    /** The old consumer may have fetches under way, and know leaders, of the topic that is gone. */
    private void renewIfRestarting() {
        synchronized (lock) {
            if (!restarting) {
                return;
            }
            restarting = false;
            positions.clear();
            fresh.addAll(target());
        }
        reopen();
    }

    private Set<Integer> target() {
        long now = nanoTime.getAsLong();
        unwantedSince.values().removeIf(since -> now - since > LINGER_NANOS);
        Set<Integer> target = new HashSet<>(wanted.keySet());
        target.addAll(unwantedSince.keySet());
        return target;
    }

    private boolean isAssigned(Set<Integer> target) {
        return target.size() == positions.size()
                && target.stream().allMatch(partition -> positions.containsKey(new TopicPartition(topic, partition)));
    }

    private void assign(Set<Integer> target) {
        List<TopicPartition> all = new ArrayList<>();
        List<TopicPartition> atEnd = new ArrayList<>();
        List<TopicPartition> atBeginning = new ArrayList<>();
        for (int index : target) {
            TopicPartition partition = new TopicPartition(topic, index);
            all.add(partition);
            if (!positions.containsKey(partition)) {
                (isFresh(index) ? atBeginning : atEnd).add(partition);
            }
        }
        Map<TopicPartition, Long> starts = new HashMap<>();
        if (!atEnd.isEmpty()) {
            starts.putAll(consumer.endOffsets(atEnd, ANSWER));
        }
        if (!atBeginning.isEmpty()) {
            starts.putAll(consumer.beginningOffsets(atBeginning, ANSWER));
        }
        consumer.assign(all);
        positions.keySet().retainAll(all);
        starts.forEach((partition, offset) -> {
            consumer.seek(partition, offset);
            positions.put(partition, offset);
        });
        synchronized (lock) {
            if (!restarting) {
                readable.clear();
                readable.addAll(target);
            }
            atBeginning.forEach(partition -> fresh.remove(partition.partition()));
            lock.notifyAll();
        }
    }

    private boolean isFresh(int partition) {
        synchronized (lock) {
            return fresh.contains(partition);
        }
    }

    private void receive(ConsumerRecord<byte[], byte[]> record) {
        byte[] key = record.key();
        // Most records are of other gateways' turns: those are not parsed.
        if (key == null || !receiver.wants(new String(key, StandardCharsets.UTF_8))) {
            return;
        }
        try {
            receiver.receive(KafkaRecords.decodeChunk(record));
        } catch (ServingException e) {
            LOG.warn("A record of {} is no chunk: {}", describe(record), e.getMessage());
        } catch (RuntimeException e) {
            LOG.error("The chunk of {} could not be delivered", describe(record), e);
        }
    }

    private static String describe(ConsumerRecord<?, ?> record) {
        return record.topic() + ", partition " + record.partition() + ", offset " + record.offset();
    }

    private void lose(Set<TopicPartition> partitions) {
        LOG.warn("Records of {} are gone that were to be read next: reading from the beginning", partitions);
        Set<Integer> indexes = new HashSet<>();
        for (TopicPartition partition : partitions) {
            indexes.add(partition.partition());
        }
        positions.keySet().removeAll(partitions);
        synchronized (lock) {
            readable.removeAll(indexes);
            fresh.addAll(indexes);
        }
        receiver.lost(indexes);
    }

    private void pause() {
        synchronized (lock) {
            if (!closed) {
                try {
                    lock.wait(PAUSE_MS);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
        }
    }

    private void reopen() {
        try {
            consumer.close(org.apache.kafka.clients.consumer.CloseOptions.timeout(Duration.ZERO));
        } catch (RuntimeException e) {
            LOG.debug("The consumer that failed did not close", e);
        }
        try {
            Consumer<byte[], byte[]> next = consumers.get();
            synchronized (lock) {
                consumer = next;
            }
            next.assign(positions.keySet());
            positions.forEach(next::seek);
        } catch (RuntimeException e) {
            LOG.warn("No new consumer of {} could be made yet", topic, e);
        }
    }
}
