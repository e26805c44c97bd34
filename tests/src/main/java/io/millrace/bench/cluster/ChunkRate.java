package io.millrace.bench.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.BenchReport;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import io.millrace.connector.port.RequestPort;
import io.millrace.connector.port.TurnStream;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.SamplingParams;
import io.millrace.proto.TokenChunk;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What the transport carries when the device takes no time: requests into Kafka, through the job, and their chunks
 * through Kafka to a gateway's port, which puts them into their turns' streams.
 */
final class ChunkRate {
    private static final long LIMIT_SECONDS = 120;

    private final Sizes sizes;
    private final Progress progress;
    private int turnNumber;

    /**
     * How much is measured.
     *
     * @param warmUpRounds that do not: the JVMs compile for long what runs at such rates
     * @param rounds that count
     * @param longTurns turns that run at a time to count chunks
     * @param longTokens of each
     * @param shortTurns turns that are sent to count requests, {@link #SHORT_AT_A_TIME} at a time
     */
    record Sizes(int warmUpRounds, int rounds, int longTurns, int longTokens, int shortTurns) {}

    private static final int SHORT_TOKENS = 4;
    private static final int SHORT_AT_A_TIME = 256;

    ChunkRate(Sizes sizes, Progress progress) {
        this.sizes = requireNonNull(sizes, "sizes");
        this.progress = requireNonNull(progress, "progress");
    }

    void measure(RequestPort port, BenchReport report) throws InterruptedException {
        List<Double> chunks = new ArrayList<>();
        List<Double> tokens = new ArrayList<>();
        List<Double> requests = new ArrayList<>();
        for (int round = -sizes.warmUpRounds(); round < sizes.rounds(); round++) {
            Rate rate = run(port, sizes.longTurns(), sizes.longTurns(), sizes.longTokens());
            Rate many = run(port, sizes.shortTurns(), SHORT_AT_A_TIME, SHORT_TOKENS);
            progress.say(String.format(
                    Locale.ROOT,
                    "no compute time%s: %.0f tokens/s in %.0f chunks/s of %d turns; %.0f requests/s of %d tokens",
                    round < 0 ? " (does not count)" : "",
                    rate.tokensPerSecond(),
                    rate.chunksPerSecond(),
                    sizes.longTurns(),
                    many.turnsPerSecond(),
                    SHORT_TOKENS));
            if (round >= 0) {
                chunks.add(rate.chunksPerSecond());
                tokens.add(rate.tokensPerSecond());
                requests.add(many.turnsPerSecond());
            }
        }
        report.addFigure("chunks_per_second", new Figure("chunks/s", chunks, List.of()));
        report.addFigure("transport_tokens_per_second", new Figure("tokens/s", tokens, List.of()));
        report.addFigure("transport_requests_per_second", new Figure("requests/s", requests, List.of()));
    }

    /** What a run came to. */
    private record Rate(double seconds, int turns, long tokens, long chunks) {
        double chunksPerSecond() {
            return chunks / seconds;
        }

        double tokensPerSecond() {
            return tokens / seconds;
        }

        double turnsPerSecond() {
            return turns / seconds;
        }
    }

    private Rate run(RequestPort port, int turns, int atATime, int tokens) throws InterruptedException {
        List<TurnStream> streams = new ArrayList<>();
        Semaphore room = new Semaphore(atATime);
        CountDownLatch ended = new CountDownLatch(turns);
        long begin = System.nanoTime();
        for (int turn = 0; turn < turns; turn++) {
            if (!room.tryAcquire(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("no turn ended within " + LIMIT_SECONDS + " s");
            }
            TurnStream stream = port.submit(request("rate-" + turnNumber++, tokens));
            streams.add(stream);
            AtomicBoolean seen = new AtomicBoolean();
            stream.onProgress(() -> {
                if (stream.isComplete() && seen.compareAndSet(false, true)) {
                    room.release();
                    ended.countDown();
                }
            });
        }
        if (!ended.await(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException(ended.getCount() + " turns did not end within " + LIMIT_SECONDS + " s");
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        long chunks = 0;
        for (TurnStream stream : streams) {
            chunks += stream.chunkCount();
            TokenChunk last = requireNonNull(stream.chunk(stream.chunkCount() - 1), "last");
            if (!last.hasFinished() || last.getFinished().getCompletionTokens() != tokens) {
                throw new IllegalStateException("a turn did not end as it should: " + last);
            }
        }
        return new Rate(seconds, turns, (long) turns * tokens, chunks);
    }

    /** A turn of exactly so many tokens, in a session of its own. */
    static AgentRequest request(String session, int tokens) {
        return AgentRequest.newBuilder()
                .setSessionId(session)
                .setRequestId("1")
                .setCacheSalt(session)
                .setArrivalMs(System.currentTimeMillis())
                .setChat(ChatRequest.newBuilder()
                        .addMessages(ChatMessage.newBuilder().setRole("user").setContent("Tell me about the mill."))
                        .setSampling(
                                SamplingParams.newBuilder().setMaxTokens(tokens).setIgnoreEos(true)))
                .build();
    }
}
