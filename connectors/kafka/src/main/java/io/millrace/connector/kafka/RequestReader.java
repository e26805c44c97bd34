package io.millrace.connector.kafka;

import static java.util.Objects.requireNonNull;

import io.millrace.proto.InboundRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.InputStatus;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connector's reader, with an eye on which topic it reads. By itself that goes on at its offset when the topic is
 * deleted and made again, and so leaves out what the new topic has before it. This one fails then, and so does a
 * restored one begin again: a split of another topic than there is now is read from the start. Requests that were read
 * twice are known by their ids.
 */
final class RequestReader implements SourceReader<InboundRecord, KafkaPartitionSplit> {
    private static final Logger LOG = LoggerFactory.getLogger(RequestReader.class);
    private static final long WATCH_MS = 1000;

    private final SourceReader<InboundRecord, KafkaPartitionSplit> reader;
    private final TopicIdentity topic;
    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(run -> {
        Thread thread = new Thread(run, "millrace-topic-watch");
        thread.setDaemon(true);
        return thread;
    });
    private final CompletableFuture<Void> replaced = new CompletableFuture<>();

    /** The topic that is read; null until it is known. */
    private volatile @Nullable Uuid topicId;

    RequestReader(SourceReader<InboundRecord, KafkaPartitionSplit> reader, TopicIdentity topic) {
        this.reader = requireNonNull(reader, "reader");
        this.topic = requireNonNull(topic, "topic");
    }

    @Override
    public void start() {
        reader.start();
        watch.scheduleWithFixedDelay(this::look, WATCH_MS, WATCH_MS, TimeUnit.MILLISECONDS);
    }

    private void look() {
        topic.ask().whenComplete((now, error) -> {
            Uuid known = topicId;
            // Without an answer there is no topic, or no broker: what comes next will tell.
            if (error == null && known != null && !known.equals(now)) {
                replaced.complete(null);
            }
        });
    }

    @Override
    public void addSplits(List<KafkaPartitionSplit> splits) {
        Uuid now = topic.current();
        List<KafkaPartitionSplit> checked = new ArrayList<>();
        for (KafkaPartitionSplit split : splits) {
            Uuid known = split instanceof RequestSplit request ? request.topicId() : now;
            if (known != null && now != null && !known.equals(now)) {
                LOG.warn("{} is of a topic that was made again: it is read from the start", split);
                checked.add(new KafkaPartitionSplit(
                        split.getTopicPartition(),
                        KafkaPartitionSplit.EARLIEST_OFFSET,
                        split.getStoppingOffset().orElse(KafkaPartitionSplit.NO_STOPPING_OFFSET)));
            } else {
                checked.add(split);
            }
            topicId = now == null ? known : now;
        }
        reader.addSplits(checked);
    }

    @Override
    public List<KafkaPartitionSplit> snapshotState(long checkpointId) {
        Uuid known = topicId;
        List<KafkaPartitionSplit> splits = new ArrayList<>();
        for (KafkaPartitionSplit split : reader.snapshotState(checkpointId)) {
            splits.add(known == null ? split : new RequestSplit(split, known));
        }
        return splits;
    }

    @Override
    public InputStatus pollNext(ReaderOutput<InboundRecord> output) throws Exception {
        if (replaced.isDone()) {
            throw new IOException(
                    "the request topic was deleted and made again: the job restarts to read it from the" + " start");
        }
        return reader.pollNext(output);
    }

    @Override
    public CompletableFuture<Void> isAvailable() {
        CompletableFuture<Void> available = reader.isAvailable();
        return available.isDone()
                ? available
                : CompletableFuture.anyOf(available, replaced).thenRun(() -> {});
    }

    @Override
    public void notifyNoMoreSplits() {
        reader.notifyNoMoreSplits();
    }

    @Override
    public void handleSourceEvents(SourceEvent event) {
        reader.handleSourceEvents(event);
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) throws Exception {
        reader.notifyCheckpointComplete(checkpointId);
    }

    @Override
    public void notifyCheckpointAborted(long checkpointId) throws Exception {
        reader.notifyCheckpointAborted(checkpointId);
    }

    @Override
    public void pauseOrResumeSplits(Collection<String> pause, Collection<String> resume) {
        reader.pauseOrResumeSplits(pause, resume);
    }

    @Override
    public void close() throws Exception {
        watch.shutdownNow();
        topic.close();
        reader.close();
    }
}
