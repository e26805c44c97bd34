package io.millrace.bench.engine;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Iterator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Streams turns from a gateway, and notes when each token came. */
final class TokenStreamClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIME_LIMIT = Duration.ofMinutes(5);
    private static final String DATA = "data:";

    private final HttpClient http;
    private final URI endpoint;

    TokenStreamClient(HttpClient http, URI base) {
        this.http = requireNonNull(http, "http");
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
    record Timeline(int promptTokens, long sentNanos, long[] receivedNanos) {}

    /**
     * Runs a turn of exactly so many tokens.
     *
     * @param name of its session; its salt too, so that it shares nothing
     */
    Timeline run(String name, String text, int tokens) throws IOException, InterruptedException {
        HttpRequest post = HttpRequest.newBuilder(endpoint)
                .timeout(TIME_LIMIT)
                .header("Content-Type", "application/json")
                .header("X-Millrace-Session-ID", name)
                .POST(HttpRequest.BodyPublishers.ofString(body(name, text, tokens)))
                .build();
        long sentNanos = System.nanoTime();
        HttpResponse<Stream<String>> response = http.send(post, HttpResponse.BodyHandlers.ofLines());
        try (Stream<String> lines = response.body()) {
            if (response.statusCode() != 200) {
                throw new IOException("HTTP " + response.statusCode() + ": " + lines.collect(Collectors.joining()));
            }
            return read(lines.iterator(), sentNanos, tokens);
        }
    }

    private static Timeline read(Iterator<String> lines, long sentNanos, int tokens) throws IOException {
        long[] receivedNanos = new long[tokens];
        int received = 0;
        int promptTokens = 0;
        while (lines.hasNext()) {
            String line = lines.next();
            long nanos = System.nanoTime();
            if (!line.startsWith(DATA) || line.endsWith("[DONE]")) {
                continue;
            }
            JsonNode event = JSON.readTree(line.substring(DATA.length()));
            if (event.has("error")) {
                throw new IOException(event.path("error").toString());
            }
            // Token ids of the last event, which has the usage, would repeat those of the events before.
            int count = event.path("choices").isEmpty()
                    ? 0
                    : event.path("nvext").path("token_ids").size();
            for (int index = 0; index < count && received < tokens; index++) {
                receivedNanos[received++] = nanos;
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
