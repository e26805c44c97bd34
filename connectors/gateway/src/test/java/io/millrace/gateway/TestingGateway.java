package io.millrace.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** A gateway on a real socket, in front of a {@link TestingRequestPort}, and a client of it. */
final class TestingGateway implements AutoCloseable {
    static final String MODEL = "test-model";
    static final ObjectMapper JSON = new ObjectMapper();
    static final long NOW_SECONDS = 1_800_000_000L;
    static final String HELLO = "{\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";
    static final String HELLO_STREAM = "{\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}";

    final TestingRequestPort port = new TestingRequestPort();
    final Gateway gateway;
    private final int boundPort;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    TestingGateway() {
        this(GatewayOptions.of(MODEL));
    }

    TestingGateway(GatewayOptions options) {
        AtomicInteger ids = new AtomicInteger();
        Clock clock = Clock.fixed(Instant.ofEpochSecond(NOW_SECONDS), ZoneOffset.UTC);
        gateway = new Gateway(
                options, port, new GatewayEnvironment(clock, System::nanoTime, () -> "id" + ids.incrementAndGet()));
        gateway.start();
        boundPort = gateway.port();
    }

    static GatewayOptions.Timeouts timeouts(Duration request, Duration turn, Duration write, Duration keepAlive) {
        return new GatewayOptions.Timeouts(
                request, turn, write, Duration.ofSeconds(30), keepAlive, Duration.ofSeconds(5));
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + boundPort + path);
    }

    /** Posts a body to completions; headers come as name, value, name, value. */
    HttpResponse<String> post(String body, String... headers) throws Exception {
        return client.send(request(body, headers), HttpResponse.BodyHandlers.ofString());
    }

    CompletableFuture<HttpResponse<String>> postAsync(String body, String... headers) {
        return client.sendAsync(request(body, headers), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> send(String method, String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path))
                .timeout(Duration.ofSeconds(30))
                .method(method, HttpRequest.BodyPublishers.noBody());
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpRequest request(String body, String... headers) {
        return request(body.getBytes(StandardCharsets.UTF_8), headers);
    }

    HttpRequest request(byte[] body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri("/v1/chat/completions"))
                .timeout(Duration.ofSeconds(60))
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        if (!List.of(headers).contains("content-type")) {
            request.header("content-type", "application/json");
        }
        for (int i = 0; i < headers.length; i += 2) {
            request.header(headers[i], headers[i + 1]);
        }
        return request.build();
    }

    HttpClient client() {
        return client;
    }

    /** A connection of one's own, to misbehave on. */
    Socket socket() throws Exception {
        Socket socket = new Socket("127.0.0.1", gateway.port());
        socket.setSoTimeout(20_000);
        return socket;
    }

    /** A request as bytes, for a socket. */
    static byte[] rawPost(String body, String... headers) {
        StringBuilder request = new StringBuilder(
                "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n" + "Content-Type: application/json\r\n");
        for (int i = 0; i < headers.length; i += 2) {
            request.append(headers[i]).append(": ").append(headers[i + 1]).append("\r\n");
        }
        request.append("Content-Length: ")
                .append(body.getBytes(StandardCharsets.UTF_8).length)
                .append("\r\n\r\n")
                .append(body);
        return request.toString().getBytes(StandardCharsets.UTF_8);
    }

    static JsonNode json(String text) throws Exception {
        return JSON.readTree(text);
    }

    static void assertError(HttpResponse<String> response, int status, String code) throws Exception {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("content-type")).hasValue("application/json; charset=utf-8");
        JsonNode error = json(response.body()).get("error");
        assertThat(error.get("code").asText()).isEqualTo(code);
        assertThat(error.get("message").asText()).isNotEmpty();
        assertThat(error.has("param")).isTrue();
        assertThat(error.get("type").asText()).isNotEmpty();
    }

    /** Waits, for what follows soon from what has happened. */
    static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within 20 s: " + what);
            }
            Thread.sleep(5);
        }
    }

    /** Nothing may be left of any request. */
    void assertNothingLeft() throws InterruptedException {
        await("all subscriptions closed", () -> port.subscriptionCount() == 0);
        await("all requests answered", () -> gateway.openRequestCount() == 0);
    }

    @Override
    public void close() throws Exception {
        try {
            assertNothingLeft();
        } finally {
            // The acceptor's thread takes two seconds to end, which no test needs to wait for.
            gateway.stopAsync();
        }
    }
}
