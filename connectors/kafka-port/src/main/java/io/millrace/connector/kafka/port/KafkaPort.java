package io.millrace.connector.kafka.port;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.records.KafkaRecords;
import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.connector.port.OrderedTurnStream;
import io.millrace.connector.port.PortRequests;
import io.millrace.connector.port.RequestPort;
import io.millrace.connector.port.TurnBook;
import io.millrace.connector.port.TurnKey;
import io.millrace.connector.port.TurnStream;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.TokenChunk;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A port to a job behind Kafka: requests go to one topic, chunks come from another. Any number of processes can have
 * one each to the same job.
 *
 * <p>It keeps no truth. What it holds of a turn can be had again by whoever sends the request again, or asks for the
 * turn by its name: the job then sends all of its chunks again, and if it does not hold them any more, the topic may.
 * Chunks are put together by their offsets, so it does not matter that other gateways' repetitions come between them.
 *
 * <pre>
 *   submit ── queue ─▶ sender ── request topic ─▶ job ── token topic ─▶ reader ─▶ streams
 *                        └─ waits until the reader knows where the turn's partition ends ─┘
 * </pre>
 *
 * <p>A request is accepted when Kafka has acknowledged it; one that was not ends with {@code UNAVAILABLE}. A turn that
 * was accepted and stays silent is asked for again from time to time, which heals whatever the topics may have lost.
 */
public final class KafkaPort implements RequestPort, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaPort.class);

    private final KafkaSettings settings;
    private final KafkaPortOptions options;
    private final LongSupplier nanoTime;
    private final PortThreads threads;
    private final TopicWatch watch;
    private final TokenReader reader;
    private final RequestSender sender;
    private final RetainedChunks retained;

    private final Object lock = new Object();
    private final TurnBook<KafkaTurn> turns;
    /** Sessions with open turns, and how many. Read without the lock by the reader, for every record. */
    private final Map<String, Integer> openSessions = new ConcurrentHashMap<>();

    private final PartitionCounts partitionCounts;
    private TopicWatch.@Nullable Topics topics;
    private long pendingBytes;
    private long heldBytes;
    private long reachedNanos;
    private boolean closed;

    private KafkaPort(KafkaSettings settings, KafkaPortOptions options, KafkaClients clients, LongSupplier nanoTime) {
        this.settings = requireNonNull(settings, "settings");
        this.options = requireNonNull(options, "options");
        this.nanoTime = requireNonNull(nanoTime, "nanoTime");
        this.turns = new TurnBook<>(options.openTurnsMax(), options.retainedTurnsMax(), options.retainedBytesMax());
        this.partitionCounts = new PartitionCounts(nanoTime);
        this.reader = new TokenReader(clients::consumer, settings.tokenTopic(), new Receiver(), nanoTime);
        // Each open turn waits once at most, and may be cancelled.
        this.sender = new RequestSender(
                clients::producer, settings.requestTopic(), reader, nanoTime, 2 * options.openTurnsMax() + 64);
        this.retained =
                new RetainedChunks(clients::scanConsumer, settings.tokenTopic(), options.scanRecordsMax(), nanoTime);
        this.watch = new TopicWatch(clients.admin(), settings.requestTopic(), settings.tokenTopic());
        this.threads = new PortThreads(reader, sender, this::watchOnce);
    }

    /**
     * Opens a port. Kafka need not answer yet: until it does, requests are refused.
     *
     * @throws ServingException {@code INVALID_REQUEST} if Kafka's clients refuse their properties
     */
    public static KafkaPort open(KafkaSettings settings, KafkaPortOptions options) {
        try {
            KafkaPort port = new KafkaPort(settings, options, new KafkaClients(settings, options), System::nanoTime);
            port.threads.start();
            return port;
        } catch (KafkaException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST, "Kafka's client cannot be started: " + cause.getMessage(), e);
        }
    }

    @Override
    public TurnStream submit(AgentRequest request) {
        checkRequest(request);
        TurnKey key = TurnKey.of(request);
        long now = nanoTime.getAsLong();
        synchronized (lock) {
            KafkaTurn known = turns.get(key);
            if (known != null && (known.isComplete() || !known.isCompletedBy(request))) {
                return known;
            }
            checkRoom(request, now);
            KafkaTurn turn = known == null ? new KafkaTurn(request, now) : known;
            if (!sender.offer(outgoing(turn, request, now))) {
                throw new ServingException(ErrorCode.QUEUE_FULL, "too many requests wait for Kafka");
            }
            if (known == null) {
                begin(turn);
            } else {
                pendingBytes -= turn.pendingBytes();
                heldBytes -= turn.heldBytes();
                turn.take(request);
            }
            pendingBytes += turn.pendingBytes();
            return turn;
        }
    }

    private RequestSender.Outgoing outgoing(KafkaTurn turn, AgentRequest request, long now) {
        return new RequestSender.Outgoing(
                request,
                partitionCounts.partitions(request.getSessionId()),
                now + options.acceptTimeout().toNanos(),
                error -> settled(turn, request, error));
    }

    private void begin(KafkaTurn turn) {
        turns.add(turn);
        openSessions.merge(turn.sessionId(), 1, Integer::sum);
        turn.setPartitions(partitionCounts.partitions(turn.sessionId()));
        turn.partitions().forEach(reader::want);
    }

    private void checkRequest(AgentRequest request) {
        PortRequests.check(request);
        KafkaRecords.checkSize(request, settings);
    }

    private void checkRoom(AgentRequest request, long now) {
        if (closed) {
            throw unavailable("the gateway is stopping");
        }
        checkReachable(now);
        turns.checkRoom();
        long bytes = request.getSerializedSize();
        if (pendingBytes > 0 && pendingBytes + bytes > options.requestBytesMax()) {
            throw new ServingException(
                    ErrorCode.QUEUE_FULL,
                    "requests of " + pendingBytes
                            + " bytes wait for Kafka; with this one they would be above the limit of "
                            + options.requestBytesMax());
        }
    }

    /** A short outage is waited for, as long as a request may wait. */
    private void checkReachable(long now) {
        TopicWatch.Finding found = watch.latest();
        boolean reachedLately =
                topics != null && now - reachedNanos < options.acceptTimeout().toNanos();
        if (found.topics() == null && !reachedLately) {
            throw unavailable(found.problem());
        }
    }

    @Override
    public Optional<TurnStream> find(String sessionId, String requestId) {
        synchronized (lock) {
            return Optional.ofNullable(turns.get(new TurnKey(sessionId, requestId)));
        }
    }

    @Override
    public CompletionStage<Boolean> cancel(String sessionId, String requestId, String reason) {
        AgentRequest cancel = PortRequests.cancel(sessionId, requestId, reason);
        CompletableFuture<Boolean> sent = new CompletableFuture<>();
        synchronized (lock) {
            KafkaTurn turn = turns.get(TurnKey.of(cancel));
            if (turn != null && turn.isComplete()) {
                return CompletableFuture.completedFuture(true);
            }
            long deadline = nanoTime.getAsLong() + options.acceptTimeout().toNanos();
            // Whether there is such a turn, only the job knows.
            RequestSender.Outgoing outgoing = new RequestSender.Outgoing(cancel, List.of(), deadline, error -> {
                if (error == null) {
                    sent.complete(true);
                } else {
                    LOG.warn("Turn {} could not be cancelled: {}", TurnKey.of(cancel), error.getMessage());
                    sent.completeExceptionally(error);
                }
            });
            if (!sender.offer(outgoing)) {
                sent.completeExceptionally(
                        new ServingException(ErrorCode.QUEUE_FULL, "too many requests wait for Kafka"));
            }
        }
        return sent;
    }

    @Override
    public int openTurns() {
        synchronized (lock) {
            return turns.openCount();
        }
    }

    /** Whether Kafka answers and has the topics. Whether a job reads them cannot be known here. */
    @Override
    public boolean isReady() {
        synchronized (lock) {
            return !closed && watch.latest().topics() != null;
        }
    }

    /** Waits until the port {@link #isReady}; false if that takes too long. */
    public boolean awaitReady(Duration limit) throws InterruptedException {
        long deadline = nanoTime.getAsLong() + limit.toNanos();
        synchronized (lock) {
            while (!isReady() && !closed) {
                long leftMs = Duration.ofNanos(deadline - nanoTime.getAsLong()).toMillis();
                if (leftMs <= 0) {
                    return false;
                }
                lock.wait(leftMs);
            }
            return !closed;
        }
    }

    /** Why the port is not ready; empty if it is. */
    public String problem() {
        return watch.latest().problem();
    }

    /** Bytes of the requests that wait for Kafka's acknowledgement. */
    long pendingRequestBytes() {
        synchronized (lock) {
            return pendingBytes;
        }
    }

    /** Partitions of the token topic, as last heard; 0 before. */
    int partitionCount() {
        synchronized (lock) {
            return topics == null ? 0 : topics.tokenPartitionCount();
        }
    }

    /** Subscriptions to turns, ended ones included, that have not been closed. */
    public int subscriptionCount() {
        synchronized (lock) {
            return turns.subscriptionCount();
        }
    }

    /**
     * Takes no more requests, sends those that wait, and ends the turns that are open here: the job goes on with them.
     */
    @Override
    public void close() {
        List<KafkaTurn> open;
        synchronized (lock) {
            if (closed) {
                return;
            }
            closed = true;
            open = turns.open();
            lock.notifyAll();
        }
        for (KafkaTurn turn : open) {
            deliver(turn, turn.failure(ErrorCode.UNAVAILABLE, "the gateway is stopping"));
        }
        threads.close();
        watch.close();
    }

    /** Hears how a turn's request was sent. */
    private void settled(KafkaTurn turn, AgentRequest request, @Nullable ServingException error) {
        synchronized (lock) {
            if (!turn.has(request)) {
                return;
            }
            long bytes = turn.pendingBytes();
            pendingBytes -= bytes;
            turn.settle(error == null && heldBytes + bytes <= options.requestBytesMax());
            heldBytes += turn.heldBytes();
            if (error == null) {
                turn.accept(nanoTime.getAsLong());
            }
        }
        if (error != null) {
            deliver(turn, turn.failure(error.code(), String.valueOf(error.getMessage())));
        }
    }

    private void receive(TokenChunk chunk) {
        KafkaTurn turn;
        List<Integer> partitions;
        synchronized (lock) {
            turn = turns.get(TurnKey.of(chunk));
            if (turn == null || turn.isComplete()) {
                return;
            }
            partitions = turn.partitions();
            String code = chunk.getFailed().getCode();
            if (code.equals(ErrorCode.TURN_NOT_FOUND.name()) && !turn.mayBeUnknown()) {
                return;
            }
            if (!code.equals(ErrorCode.OUTPUT_NOT_HELD.name())) {
                partitions = List.of();
            } else if (!turn.lookFor()) {
                return;
            }
        }
        if (partitions.isEmpty()) {
            deliver(turn, chunk);
        } else {
            lookFor(turn, partitions, chunk);
        }
    }

    /** Reads the chunks of a turn from the topic that the job does not hold any more. */
    private void lookFor(KafkaTurn turn, List<Integer> partitions, TokenChunk notHeld) {
        try {
            threads.scan(() -> {
                try {
                    for (int partition : partitions) {
                        deliverAll(turn, retained.find(turn.key(), partition));
                    }
                    deliver(turn, notHeld);
                } catch (KafkaException e) {
                    LOG.warn("The chunks of turn {} could not be looked for", turn.key(), e);
                    deliver(
                            turn,
                            turn.failure(ErrorCode.UNAVAILABLE, "the turn's output could not be read from Kafka"));
                }
            });
        } catch (RejectedExecutionException e) {
            deliver(turn, turn.failure(ErrorCode.QUEUE_FULL, "too many turns of the past are being read from Kafka"));
        }
    }

    private void deliverAll(KafkaTurn turn, OrderedTurnStream found) {
        for (int i = 0; found.isComplete() && i < found.chunkCount(); i++) {
            deliver(turn, requireNonNull(found.chunk(i), "chunk"));
        }
    }

    private void deliver(KafkaTurn turn, TokenChunk chunk) {
        switch (turn.append(chunk)) {
            case APPENDED -> {
                turn.onNews(nanoTime.getAsLong());
                turn.tellListeners();
            }
            case COMPLETED -> {
                // First the books, then the news: who hears of the end may ask how many turns are open.
                ended(turn);
                turn.tellListeners();
            }
            // The chunks before a gap come again from the first: whoever opened the turn here asked for that. If they
            // do not, the turn counts as silent.
            case REPEATED, GAP -> {}
        }
    }

    private void ended(KafkaTurn turn) {
        synchronized (lock) {
            pendingBytes -= turn.pendingBytes();
            heldBytes -= turn.heldBytes();
            turn.release();
            turns.ended(turn);
            openSessions.computeIfPresent(turn.sessionId(), (session, count) -> count == 1 ? null : count - 1);
            turn.partitions().forEach(reader::release);
        }
    }

    /** One round of the watch: how the topics are, which turns are silent. */
    private void watchOnce() throws InterruptedException {
        TopicWatch.Finding found = watch.check();
        Set<KafkaTurn> silent;
        List<KafkaTurn> abandoned = new ArrayList<>();
        synchronized (lock) {
            long now = nanoTime.getAsLong();
            boolean lost = found.topics() != null && update(found.topics(), now);
            silent = Set.copyOf(repairsDue(lost, now, abandoned));
            lock.notifyAll();
        }
        for (KafkaTurn turn : abandoned) {
            deliver(turn, turn.failure(ErrorCode.UNAVAILABLE, "nothing was heard of the turn for too long"));
        }
        silent.forEach(this::repair);
    }

    /** Takes note of the topics; returns whether one of them was made again, and what it had is lost. */
    private boolean update(TopicWatch.Topics found, long now) {
        TopicWatch.Topics before = topics;
        topics = found;
        reachedNanos = now;
        boolean tokensLost = before != null && !before.tokenTopicId().equals(found.tokenTopicId());
        boolean requestsLost = before != null && !before.requestTopicId().equals(found.requestTopicId());
        if (tokensLost || requestsLost) {
            LOG.warn(
                    "Kafka's topics were deleted and made again; {} open turns are asked for again", turns.openCount());
        }
        if (partitionCounts.update(found.tokenPartitionCount(), tokensLost)) {
            LOG.info("Topic {} has {} partitions", settings.tokenTopic(), found.tokenPartitionCount());
            reader.startFromBeginning(partitionCounts.newPartitions());
            for (KafkaTurn turn : turns.open()) {
                List<Integer> old = turn.partitions();
                turn.setPartitions(partitionCounts.partitions(turn.sessionId()));
                turn.partitions().forEach(reader::want);
                old.forEach(reader::release);
            }
        }
        if (tokensLost) {
            reader.restart();
        }
        return tokensLost || requestsLost;
    }

    private List<KafkaTurn> repairsDue(boolean all, long now, List<KafkaTurn> abandoned) {
        List<KafkaTurn> due = new ArrayList<>();
        for (KafkaTurn turn : turns.open()) {
            if (turn.silentNanos(now) > options.forgetAfter().toNanos() && turn.subscriptionCount() == 0) {
                abandoned.add(turn);
            } else if (all || turn.isRepairDue(now, options.repairAfter().toNanos())) {
                due.add(turn);
            }
        }
        return due;
    }

    /** Asks for all chunks of a turn again. What is lost of that is made up for by the next time. */
    private void repair(KafkaTurn turn) {
        synchronized (lock) {
            if (turn.isComplete()) {
                return;
            }
            long deadline = nanoTime.getAsLong() + options.acceptTimeout().toNanos();
            boolean unused =
                    sender.offer(new RequestSender.Outgoing(turn.repair(), turn.partitions(), deadline, error -> {
                        if (error != null) {
                            LOG.warn("Turn {} could not be asked for again: {}", turn.key(), error.getMessage());
                        }
                    }));
        }
    }

    private static ServingException unavailable(String message) {
        return new ServingException(ErrorCode.UNAVAILABLE, message);
    }

    /** What the reader brings. */
    private final class Receiver implements TokenReader.Receiver {
        @Override
        public boolean wants(String sessionId) {
            return openSessions.containsKey(sessionId);
        }

        @Override
        public void receive(TokenChunk chunk) {
            KafkaPort.this.receive(chunk);
        }

        @Override
        public void lost(Set<Integer> partitions) {
            List<KafkaTurn> concerned = new ArrayList<>();
            synchronized (lock) {
                for (KafkaTurn turn : turns.open()) {
                    if (turn.partitions().stream().anyMatch(partitions::contains)) {
                        concerned.add(turn);
                    }
                }
            }
            concerned.forEach(KafkaPort.this::repair);
        }
    }
}
