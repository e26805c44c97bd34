package io.millrace.cluster;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.bench.engine.EventSocket;
import io.millrace.cluster.ClientTurn.Outcome;
import io.millrace.durability.TurnBook.TurnName;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A client as an agent has one: it reads a turn's events and notes all of them. When the connection breaks it sends the
 * same request, with the same {@code Idempotency-Key}, to another gateway, and says which event it has read last.
 */
public final class RecordingClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<Integer> AGAIN = Set.of(429, 500, 502, 503, 504);
    private static final Set<String> AGAIN_CODES = Set.of("unavailable", "internal", "queue_full", "timeout");
    private static final long RETRY_MS = 150;
    /** Above a gateway's keep-alive, so that only a connection that is as good as dead is given up. */
    private static final Duration SILENCE_MAX = Duration.ofSeconds(40);

    private final Supplier<List<URI>> gateways;
    private final Duration turnLimit;
    private final int refusalsMax;
    private final BiConsumer<String, TurnEvent> listener;

    /**
     * A client of some gateways.
     *
     * @param gateways their addresses as of now; asked before each connection
     * @param turnLimit how long a turn may take, with all its connections
     * @param refusalsMax refusals (429 and 5xx) after which a request that was never accepted is not sent again
     */
    public RecordingClient(Supplier<List<URI>> gateways, Duration turnLimit, int refusalsMax) {
        this(gateways, turnLimit, refusalsMax, (session, event) -> {});
    }

    private RecordingClient(
            Supplier<List<URI>> gateways, Duration turnLimit, int refusalsMax, BiConsumer<String, TurnEvent> listener) {
        this.gateways = requireNonNull(gateways, "gateways");
        this.turnLimit = requireNonNull(turnLimit, "turnLimit");
        this.refusalsMax = refusalsMax;
        this.listener = requireNonNull(listener, "listener");
    }

    /** The same with someone who hears of each event at once, with its session's name. */
    public RecordingClient withListener(BiConsumer<String, TurnEvent> newListener) {
        return new RecordingClient(gateways, turnLimit, refusalsMax, newListener);
    }

    /**
     * What a client wants of a turn.
     *
     * @param asked what the script calls it
     * @param session its session's name
     * @param body the request's body
     * @param gateway index of the gateway that is tried first
     * @param cancelAtTokens tokens at which the client cancels the turn; above what it can have for never
     */
    public record Wish(TurnName asked, String session, String body, int gateway, int cancelAtTokens) {}

    /** Runs a turn to its end, and returns what was recorded of it. */
    public ClientTurn run(Wish wish) throws InterruptedException {
        return new Reading(wish).run();
    }

    /** One turn's reading. */
    private final class Reading {
        private final Wish wish;
        private final List<TurnEvent> events = new ArrayList<>();
        private final long deadlineNanos = System.nanoTime() + turnLimit.toNanos();
        private int gateway;
        private int connections;
        private int refusals;
        private int tokens;
        private String turnId = "";
        private boolean cancelled;
        private @Nullable Outcome outcome;
        private String detail = "";

        Reading(Wish wish) {
            this.wish = wish;
            this.gateway = wish.gateway();
        }

        ClientTurn run() throws InterruptedException {
            while (outcome == null) {
                connections++;
                try (EventSocket answer = connect()) {
                    read(answer);
                } catch (IOException e) {
                    detail = e.toString();
                }
                if (outcome == null && System.nanoTime() > deadlineNanos) {
                    outcome = turnId.isEmpty() ? Outcome.REFUSED : Outcome.GIVEN_UP;
                }
                if (outcome == null) {
                    gateway++;
                    Thread.sleep(RETRY_MS);
                }
            }
            return new ClientTurn(
                    wish.asked(), wish.session(), turnId, outcome, detail, cancelled, connections, events);
        }

        private URI gateway(int index) throws IOException {
            List<URI> now = gateways.get();
            if (now.isEmpty()) {
                throw new IOException("there is no gateway");
            }
            return now.get(Math.floorMod(index, now.size()));
        }

        private EventSocket connect() throws IOException {
            Map<String, String> headers = new HashMap<>();
            headers.put("Content-Type", "application/json");
            headers.put("X-Millrace-Session-ID", wish.session());
            headers.put("Idempotency-Key", wish.asked().requestId());
            if (!events.isEmpty()) {
                headers.put("Last-Event-ID", events.get(events.size() - 1).id());
            }
            URI endpoint = gateway(gateway).resolve("/v1/chat/completions");
            return EventSocket.request("POST", endpoint, headers, wish.body(), SILENCE_MAX);
        }

        private void read(EventSocket answer) throws IOException {
            if (answer.status() != 200) {
                notEvents(answer);
                return;
            }
            String named = String.valueOf(answer.header("x-request-id"));
            if (!turnId.isEmpty() && !turnId.equals(named)) {
                fail("the turn was " + turnId + " and is " + named);
                return;
            }
            turnId = named;
            String id = "";
            boolean error = false;
            for (String line = answer.line(); line != null && outcome == null; line = answer.line()) {
                if (line.isEmpty()) {
                    id = "";
                    error = false;
                } else if (line.startsWith("id: ")) {
                    id = line.substring("id: ".length());
                } else if (line.equals("event: error")) {
                    error = true;
                } else if (line.startsWith("data: ")) {
                    String data = line.substring("data: ".length());
                    if (error) {
                        failed(JSON.readTree(data).path("error"));
                        return;
                    }
                    add(TurnEvent.of(System.nanoTime(), id, data));
                }
            }
        }

        private void add(TurnEvent event) {
            events.add(event);
            listener.accept(wish.session(), event);
            tokens += event.tokenIds().size();
            if (event.done()) {
                outcome = Outcome.ENDED;
            } else if (!cancelled && tokens >= wish.cancelAtTokens()) {
                cancel();
            }
        }

        /** Asks a gateway, and not the one that is read from, to end the turn; asks another one if that fails. */
        private void cancel() {
            for (int attempt = 1; attempt <= 40 && !cancelled; attempt++) {
                try {
                    URI endpoint = gateway(gateway + attempt).resolve("/v1/turns/" + turnId);
                    Map<String, String> headers = Map.of("X-Millrace-Session-ID", wish.session());
                    try (EventSocket answer =
                            EventSocket.request("DELETE", endpoint, headers, "", Duration.ofSeconds(10))) {
                        cancelled = answer.status() == 202;
                        detail = "DELETE: " + answer.status();
                    }
                } catch (IOException e) {
                    detail = "DELETE: " + e;
                }
                if (!cancelled) {
                    pause();
                }
            }
        }

        private void notEvents(EventSocket answer) throws IOException {
            StringBuilder body = new StringBuilder();
            for (String line = answer.line(); line != null; line = answer.line()) {
                body.append(line);
            }
            detail = answer.status() + ": " + body;
            if (answer.status() == 204) {
                // All of it was read before the connection broke.
                outcome = Outcome.ENDED;
            } else if (!AGAIN.contains(answer.status())) {
                fail(detail);
            } else if (turnId.isEmpty() && ++refusals >= refusalsMax) {
                outcome = Outcome.REFUSED;
            }
        }

        private void failed(JsonNode error) {
            detail = error.toString();
            if (!AGAIN_CODES.contains(error.path("code").asText())) {
                fail(detail);
            }
        }

        private void fail(String why) {
            detail = why;
            outcome = Outcome.FAILED;
        }

        private void pause() {
            try {
                Thread.sleep(RETRY_MS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                fail("interrupted");
            }
        }
    }
}
