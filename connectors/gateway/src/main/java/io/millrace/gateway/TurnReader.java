package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import io.millrace.connector.port.TurnStream;
import io.netty.channel.EventLoop;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One client's reading of a turn, at the client's own pace: it takes chunks from the stream when the connection has
 * taken the last ones, and holds nothing in between. All of it happens on the connection's event loop, except for
 * {@link #wake}, which the stream calls from anywhere.
 */
abstract class TurnReader {
    /** What a reading needs besides its turn. */
    record Surroundings(GatewayOptions.Timeouts timeouts, LongSupplier nanoTime, TurnReaders readers) {}

    private static final long MAX_TICK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long MIN_TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    final KeptTurn turn;
    final TurnStream stream;
    final HttpResponseWriter response;

    private final EventLoop loop;
    private final Surroundings surroundings;
    private final long startNanos;
    private final AtomicBoolean woken = new AtomicBoolean();
    private final Runnable pump = this::pump;

    private TurnStream.@Nullable Subscription subscription;
    private @Nullable ScheduledFuture<?> ticker;
    private boolean blocked;
    private long lastProgressNanos;
    private boolean closed;
    private boolean ended;

    TurnReader(
            KeptTurn turn, TurnStream stream, HttpResponseWriter response, EventLoop loop, Surroundings surroundings) {
        this.turn = requireNonNull(turn, "turn");
        this.stream = requireNonNull(stream, "stream");
        this.response = requireNonNull(response, "response");
        this.loop = requireNonNull(loop, "loop");
        this.surroundings = requireNonNull(surroundings, "surroundings");
        this.startNanos = surroundings.nanoTime().getAsLong();
        this.lastProgressNanos = startNanos;
    }

    /** Writes what the client can take now. Called when there may be new chunks and the connection takes bytes. */
    abstract void advance();

    /** Tells the client that there will be no (more) answer, and calls {@link #close}. */
    abstract void fail(Failure failure);

    /** Called now and then while the client could take more but there is nothing. */
    abstract void onSilence();

    /** Begins to read. */
    final void start() {
        onLoop(() -> {
            response.whenComplete().whenComplete((done, thrown) -> onLoop(this::end));
            if (ended) {
                return;
            }
            GatewayOptions.Timeouts timeouts = surroundings.timeouts();
            long shortest =
                    Math.min(timeouts.write().toNanos(), timeouts.keepAlive().toNanos());
            long tick = Math.max(MIN_TICK_NANOS, Math.min(MAX_TICK_NANOS, shortest / 4));
            ticker = loop.scheduleAtFixedRate(this::tick, tick, tick, TimeUnit.NANOSECONDS);
            subscription = stream.onProgress(this::wake);
        });
    }

    /** Ends the reading with a failure, from any thread. */
    final void stop(Failure failure) {
        onLoop(() -> {
            if (!ended && !closed) {
                fail(failure);
            }
        });
    }

    /** Ends the reading, from any thread: another gateway can go on with it. */
    final void handOver(Failure failure) {
        onLoop(() -> {
            if (!ended && !closed) {
                breakOff(failure);
            }
        });
    }

    /** Ends the answer where it is; the failure is for a client that has nothing yet. */
    void breakOff(Failure failure) {
        fail(failure);
    }

    /** The answer is complete; what has been written still goes out. */
    final void close() {
        closed = true;
        blocked = true;
        lastProgressNanos = now();
        response.close();
    }

    /** The answer is complete with this. */
    final void close(AggregatedHttpResponse answer) {
        ResponseHeadersBuilder headers = answer.headers().toBuilder();
        addTurnHeaders(headers);
        closed = true;
        blocked = true;
        lastProgressNanos = now();
        response.close(AggregatedHttpResponse.of(headers.build(), answer.content()));
    }

    final void addTurnHeaders(ResponseHeadersBuilder headers) {
        headers.set("x-millrace-session-id", turn.clientSession());
        headers.set("x-request-id", turn.turnId());
    }

    /** Waits until the connection has taken what was written, and goes on then. */
    final void awaitDemand() {
        blocked = true;
        lastProgressNanos = now();
        response.whenConsumed()
                .whenComplete((done, thrown) -> onLoop(() -> {
                    if (thrown == null && !closed) {
                        blocked = false;
                        lastProgressNanos = now();
                        pump();
                    }
                }));
    }

    final TurnReaders readers() {
        return surroundings.readers();
    }

    final long silentNanos() {
        return now() - lastProgressNanos;
    }

    final boolean isSilentFor(long nanos) {
        return !blocked && silentNanos() >= nanos;
    }

    final GatewayOptions.Timeouts timeouts() {
        return surroundings.timeouts();
    }

    private long now() {
        return surroundings.nanoTime().getAsLong();
    }

    private void wake() {
        if (woken.compareAndSet(false, true)) {
            loop.execute(pump);
        }
    }

    private void pump() {
        woken.set(false);
        if (ended || closed || blocked) {
            return;
        }
        try {
            advance();
        } catch (RuntimeException e) {
            fail(readers().failure(e));
        }
    }

    private void tick() {
        if (ended) {
            return;
        }
        if (blocked && silentNanos() > timeouts().write().toNanos()) {
            readers().disconnect(this);
        } else if (!closed && now() - startNanos > timeouts().turn().toNanos()) {
            fail(Failure.timedOut());
        } else if (!closed && !blocked) {
            onSilence();
        }
    }

    private void end() {
        if (ended) {
            return;
        }
        ended = true;
        if (ticker != null) {
            ticker.cancel(false);
        }
        if (subscription != null) {
            subscription.close();
        }
        readers().ended(this);
    }

    private void onLoop(Runnable task) {
        if (loop.inEventLoop()) {
            task.run();
        } else {
            loop.execute(task);
        }
    }
}
