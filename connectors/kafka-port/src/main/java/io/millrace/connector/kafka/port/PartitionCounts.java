package io.millrace.connector.kafka.port;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.records.KafkaRecords;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * How many partitions the token topic has, and had lately: a job whose topic was given more goes on writing by the old
 * count until it looks again. The port's lock guards it.
 */
final class PartitionCounts {
    /** Kafka's clients look again every five minutes. */
    private static final long OLD_COUNT_NANOS = TimeUnit.MINUTES.toNanos(10);

    private final LongSupplier nanoTime;
    private int count;
    private int oldCount;
    private long changedNanos;

    PartitionCounts(LongSupplier nanoTime) {
        this.nanoTime = requireNonNull(nanoTime, "nanoTime");
    }

    /**
     * Takes note of a count; true if it is another one.
     *
     * @param anew the topic was made again: the old count says nothing
     */
    boolean update(int newCount, boolean anew) {
        if (newCount == count) {
            return false;
        }
        oldCount = anew ? 0 : count;
        count = newCount;
        changedNanos = nanoTime.getAsLong();
        return true;
    }

    /** Partitions that there were not before the latest change. */
    Set<Integer> newPartitions() {
        Set<Integer> partitions = new HashSet<>();
        for (int partition = oldCount; oldCount > 0 && partition < count; partition++) {
            partitions.add(partition);
        }
        return partitions;
    }

    /** Where a session's chunks may be, the likeliest first. */
    List<Integer> partitions(String sessionId) {
        int now = KafkaRecords.partition(sessionId, count);
        if (oldCount == 0 || oldCount > count || nanoTime.getAsLong() - changedNanos > OLD_COUNT_NANOS) {
            return List.of(now);
        }
        int before = KafkaRecords.partition(sessionId, oldCount);
        return now == before ? List.of(now) : List.of(now, before);
    }
}
