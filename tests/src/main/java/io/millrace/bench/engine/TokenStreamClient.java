package io.millrace.bench.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Streams turns from a gateway, and notes when each token came. */
public final class TokenStreamClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIME_LIMIT = Duration.ofMinutes(5);
    private static final String DATA = "data:";

    private final URI endpoint;

    /** Streams from a gateway. */
    public TokenStreamClient(URI base) {
        this.endpoint = base.resolve("/v1/chat/completions");
    }

    /**
     * A turn as its client saw it, by {@link System#nanoTime}.
     *
     * @param promptTokens tokens of its prompt
     * @param sentNanos when the request was sent
     * @param receivedNanos when each token came
     */
    @SuppressWarnings("ArrayRecordComponent")
    public record Timeline(int promptTokens, long sentNanos, long[] receivedNanos) {}

    /**
     * Runs a turn of exactly so many tokens.
     *
     * @param name of its session; its salt too, so that it shares nothing
     */
    public Timeline run(String name, String text, int tokens) throws IOException {
        long sentNanos = System.nanoTime();
        List<Line> lines = new ArrayList<>();
        try (EventSocket answer = EventSocket.post(endpoint, name, body(name, text, tokens), TIME_LIMIT)) {
            for (String line = answer.line(); line != null; line = answer.line()) {
                lines.add(new Line(System.nanoTime(), line));
            }
            if (answer.status() != 200) {
                throw new IOException("HTTP " + answer.status() + ": " + lines);
            }
        }
        return read(lines, sentNanos, tokens);
    }

    private record Line(long nanos, String text) {}

    /** Reads the events once they have all come: what a client makes of a token is not the time the token took. */
    private static Timeline read(List<Line> lines, long sentNanos, int tokens) throws IOException {
        long[] receivedNanos = new long[tokens];
        int received = 0;
        int promptTokens = 0;
        for (Line line : lines) {
            if (!line.text().startsWith(DATA) || line.text().endsWith("[DONE]")) {
                continue;
            }
            JsonNode event = JSON.readTree(line.text().substring(DATA.length()));
            if (event.has("error")) {
                throw new IOException(event.path("error").toString());
            }
            // Token ids of the last event, which has the usage, would repeat those of the events before.
            int count = event.path("choices").isEmpty()
                    ? 0
                    : event.path("nvext").path("token_ids").size();
            for (int index = 0; index < count && received < tokens; index++) {
                receivedNanos[received++] = line.nanos();
            }
            promptTokens = event.path("usage").path("prompt_tokens").asInt(promptTokens);
        }
        if (received != tokens) {
            throw new IOException("a turn ended after " + received + " of " + tokens + " tokens");
        }
        return new Timeline(promptTokens, sentNanos, receivedNanos);
    }

    private static String body(String name, String text, int tokens) throws IOException {
        ObjectNode body = JSON.createObjectNode();
        body.putArray("messages").addObject().put("role", "user").put("content", text);
        body.put("stream", true).put("max_tokens", tokens).put("temperature", 0).put("ignore_eos", true);
        body.putObject("stream_options").put("include_usage", true);
        ObjectNode hints = body.putObject("nvext").put("cache_salt", name);
        hints.putArray("extra_fields").add("token_ids");
        return JSON.writeValueAsString(body);
    }
}
