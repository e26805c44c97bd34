package io.millrace.launcher;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** An agent's HTTP client, which reads streams as far as it is told to. */
public final class AgentClient {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http = HttpClient.newHttpClient();
    private final URI gateway;

    /** A client of the gateway at this address. */
    public AgentClient(URI gateway) {
        this.gateway = gateway;
    }

    /** A message of the user. */
    public static ObjectNode chat(String text, int maxTokens) {
        ObjectNode body = JSON.createObjectNode()
                .put("max_tokens", maxTokens)
                .put("temperature", 0.8)
                .put("seed", 11)
                .put("ignore_eos", true);
        body.putArray("messages").addObject().put("role", "user").put("content", text);
        return body;
    }

    /** The same chat, with an answer and another message of the user. */
    public static ObjectNode next(ObjectNode chat, String answer, String text) {
        ObjectNode body = chat.deepCopy();
        body.withArray("messages").addObject().put("role", "assistant").put("content", answer);
        body.withArray("messages").addObject().put("role", "user").put("content", text);
        return body;
    }

    /** A whole answer. */
    public JsonNode answer(String session, String key, ObjectNode chat) throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(request(session, key, chat), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + ": " + response.body());
        }
        return JSON.readTree(response.body());
    }

    /** An answer as it comes: the turn goes on when its reader goes away. */
    public Stream stream(String session, String key, ObjectNode chat) throws IOException, InterruptedException {
        HttpResponse<java.io.InputStream> response = http.send(
                request(session, key, chat.deepCopy().put("stream", true)), HttpResponse.BodyHandlers.ofInputStream());
        if (response.statusCode() != 200) {
            throw new AssertionError(Integer.toString(response.statusCode()));
        }
        return new Stream(new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8)));
    }

    /** Whether the gateway is there, and a job behind it. */
    public boolean isReady() throws InterruptedException {
        HttpRequest health = HttpRequest.newBuilder(gateway.resolve("/health"))
                .timeout(Duration.ofSeconds(10))
                .build();
        try {
            return http.send(health, HttpResponse.BodyHandlers.ofString()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }

    private HttpRequest request(String session, String key, ObjectNode chat) {
        return HttpRequest.newBuilder(gateway.resolve("/v1/chat/completions"))
                .header("Content-Type", "application/json")
                .header("X-Millrace-Session-ID", session)
                .header("Idempotency-Key", key)
                .timeout(Duration.ofSeconds(60))
                .POST(HttpRequest.BodyPublishers.ofString(chat.toString()))
                .build();
    }

    /** The content of a stream's events, each with the offset that it has in the turn. */
    public static final class Stream implements AutoCloseable {
        private final BufferedReader lines;

        Stream(BufferedReader lines) {
            this.lines = lines;
        }

        /** The next events that have content; fewer than so many if the stream ends. */
        public List<String> read(int events) throws IOException {
            List<String> read = new ArrayList<>();
            String offset = "";
            while (read.size() < events) {
                String line = lines.readLine();
                if (line == null) {
                    break;
                }
                if (line.startsWith("id: ")) {
                    offset = line.substring(line.lastIndexOf(':') + 1);
                } else if (line.startsWith("data: {")) {
                    String content = JSON.readTree(line.substring("data: ".length()))
                            .at("/choices/0/delta/content")
                            .asText();
                    if (!content.isEmpty()) {
                        read.add(offset + " " + content);
                    }
                }
            }
            return read;
        }

        @Override
        public void close() throws IOException {
            lines.close();
        }
    }
}
