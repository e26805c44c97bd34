package io.millrace.job.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Iterator;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A client of the chat completions API: sends a request, and reads its stream of server-sent events as they come. */
final class ChatClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIME_LIMIT = Duration.ofMinutes(10);
    private static final String DATA = "data:";

    private final HttpClient http;
    private final URI endpoint;
    private final String sessionId;
    private final LongSupplier nanoClock;

    /**
     * Makes a client of one session.
     *
     * @param http what carries the requests
     * @param base the gateway, such as {@code http://127.0.0.1:8080}
     * @param sessionId goes with each request, so that its turns find their context
     * @param nanoClock tells elapsed nanoseconds
     */
    ChatClient(HttpClient http, URI base, String sessionId, LongSupplier nanoClock) {
        this.http = requireNonNull(http, "http");
        this.endpoint = base.resolve("/v1/chat/completions");
        this.sessionId = requireNonNull(sessionId, "sessionId");
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
    }

    /**
     * Sends a request and reads its stream to the end.
     *
     * @param request the body; streaming and usage are switched on in it
     * @param onText gets the text as it comes, that of tool calls too
     * @throws IOException if the gateway refuses the request, or the stream breaks off or carries an error
     */
    ChatReply complete(ObjectNode request, Consumer<String> onText) throws IOException, InterruptedException {
        request.put("stream", true);
        request.putObject("stream_options").put("include_usage", true);
        HttpRequest post = HttpRequest.newBuilder(endpoint)
                .timeout(TIME_LIMIT)
                .header("Content-Type", "application/json")
                .header("X-Millrace-Session-ID", sessionId)
                .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(request)))
                .build();
        long begin = nanoClock.getAsLong();
        HttpResponse<Stream<String>> response = http.send(post, HttpResponse.BodyHandlers.ofLines());
        try (Stream<String> lines = response.body()) {
            if (response.statusCode() != 200) {
                throw new IOException(refusal(response.statusCode(), lines.collect(Collectors.joining())));
            }
            ReplyAssembler reply = new ReplyAssembler(begin, onText);
            Iterator<String> iterator = lines.iterator();
            while (iterator.hasNext() && !reply.isDone()) {
                String line = iterator.next();
                if (line.startsWith(DATA)) {
                    reply.accept(line.substring(DATA.length()).strip(), nanoClock.getAsLong());
                }
            }
            return reply.finish(nanoClock.getAsLong());
        } catch (UncheckedIOException e) {
            throw new IOException("the stream broke off: " + e.getMessage(), e);
        }
    }

    private static String refusal(int status, String body) {
        try {
            JsonNode message = JSON.readTree(body).path("error").path("message");
            if (message.isTextual()) {
                return "HTTP " + status + ": " + message.textValue();
            }
        } catch (IOException e) {
            // Not JSON: the body itself is the best there is.
        }
        return "HTTP " + status + ": " + body;
    }
}
