package io.millrace.gateway;

import static io.millrace.gateway.TestingGateway.HELLO;
import static io.millrace.gateway.TestingGateway.assertError;
import static io.millrace.gateway.TestingGateway.json;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.proto.TurnFinished;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is not a request gets an answer that says so, and nothing stays behind. */
final class BadInputTest {
    private TestingGateway gateway;

    @BeforeEach
    void start() {
        start(Duration.ofSeconds(20));
    }

    private void start(Duration requestTimeout) {
        Duration twenty = Duration.ofSeconds(20);
        gateway = new TestingGateway(GatewayOptions.of(TestingGateway.MODEL)
                .withTimeouts(TestingGateway.timeouts(requestTimeout, twenty, twenty, twenty)));
        gateway.port.onTurn(turn -> turn.text("hi").finish(TurnFinished.Reason.STOP));
    }

    @AfterEach
    void stop() throws Exception {
        // Whatever came before, the next client is served.
        assertThat(gateway.post(HELLO).statusCode()).isEqualTo(200);
        gateway.close();
    }

    @Test
    void testBodiesThatAreNoJson() throws Exception {
        String[][] cases = {
            {"", "JSON object"},
            {"[]", "JSON object"},
            {"\"x\"", "JSON object"},
            {"null", "JSON object"},
            {"{\"messages\": [}", "line 1, column 15"},
            {"{\n \"a\": 1,\n \"b\": tru}", "line 3, column"},
            {"{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"temperature\":NaN}", "NaN"},
            {"{\"temperature\":Infinity}", "Infinity"},
            {"{\"temperature\":-Infinity}", "not valid JSON"},
            {"{\"a\":1} {\"a\":2}", "not valid JSON"},
            {"{'a':1}", "not valid JSON"},
            {"{\"a\":1,}", "not valid JSON"},
            {"{\"a\":01}", "not valid JSON"},
            {"{\"a\":\"\u0001\"}", "not valid JSON"},
            {"{\"a\":1,\"a\":2}", "Duplicate"},
            {"{\"a\":" + "[".repeat(100_000), "limit"},
            {"{\"a\":".repeat(65) + "1" + "}".repeat(65), "64 levels deep"},
            {"{\"seed\":" + "9".repeat(100) + "}", "limit"},
            {"{\"" + "n".repeat(5_000) + "\":1}", "limit"},
            {"{\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800 x\"}]}", "messages[0].content has half"},
            {"{\"messages\":[{\"role\":\"user\",\"content\":\"\\udc00\\ud800\"}]}", "messages[0].content has half"},
            {"{\"\\ud800\":1}", "not valid JSON"},
        };
        for (String[] testCase : cases) {
            HttpResponse<String> response = gateway.post(testCase[0]);
            assertError(response, 400, "invalid_request");
            assertThat(json(response.body()).at("/error/message").asText())
                    .as(testCase[0].substring(0, Math.min(100, testCase[0].length())))
                    .contains(testCase[1])
                    .hasSizeLessThan(400);
        }
        assertThat(gateway.port.turnCount()).isZero();
    }

    @Test
    void testBodiesThatAreNoText() throws Exception {
        byte[][] bodies = {
            {'{', '"', (byte) 0xff, '"', ':', '1', '}'},
            {'{', '"', (byte) 0xc0, (byte) 0xaf, '"', ':', '1', '}'},
            {'{', '"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"', ':', '1', '}'},
            {'{', '"', (byte) 0xe2, (byte) 0x82},
            HELLO.getBytes(StandardCharsets.UTF_16),
        };
        for (byte[] body : bodies) {
            HttpResponse<String> response =
                    gateway.client().send(gateway.request(body), HttpResponse.BodyHandlers.ofString());
            assertError(response, 400, "invalid_request");
            assertThat(response.body()).contains("UTF-8 at byte ");
        }
    }

    @Test
    void testFormsThatAreNotSupported() throws Exception {
        String unsupported = "{\"type\":\"object\",\"properties\":{\"a\":{\"not\":{\"minimum\":5}}}}";
        String tool = "{\"type\":\"function\",\"function\":{\"name\":\"f\",\"strict\":true,\"parameters\":"
                + unsupported + "}}";
        String[][] cases = {
            {
                "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":" + unsupported + "}}",
                "response_format.json_schema.schema.properties.a.not"
            },
            {"\"guided_json\":" + unsupported, "guided_json.properties.a.not"},
            {"\"guided_regex\":\"(?=a)b\"", "guided_regex"},
            {"\"guided_regex\":\"(a\"", "guided_regex"},
            {"\"guided_grammar\":\"root ::= other\"", "guided_grammar"},
            {"\"structured_outputs\":{\"grammar\":\"root ::= root \\\"a\\\"\"}", "structured_outputs.grammar"},
            {"\"tools\":[" + tool + "]", "tools[0].function.parameters.properties.a.not"},
        };
        for (String[] testCase : cases) {
            HttpResponse<String> response =
                    gateway.post(HELLO.replaceFirst("\\{", "{" + testCase[0].replace("\\", "\\\\") + ","));
            assertError(response, 400, "invalid_request");
            assertThat(json(response.body()).at("/error/param").asText())
                    .as(response.body())
                    .isEqualTo(testCase[1]);
        }
        assertThat(gateway.port.turnCount()).isZero();
        // A tool that is not strict may have any schema.
        String loose = "\"tools\":[" + tool.replace("\"strict\":true", "\"strict\":false") + "],";
        assertThat(gateway.post(HELLO.replaceFirst("\\{", "{" + loose)).statusCode())
                .isEqualTo(200);
    }

    @Test
    void testContentTypes() throws Exception {
        for (String type :
                new String[] {"text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"}) {
            assertError(gateway.post(HELLO, "content-type", type), 415, "unsupported_media_type");
        }
        assertThat(gateway.post(HELLO, "content-type", "application/json; charset=UTF-8")
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void testPathsAndMethods() throws Exception {
        assertError(gateway.send("GET", "/v1/chat/completions"), 405, "method_not_allowed");
        assertError(gateway.send("GET", "/v1/nothing"), 404, "not_found");
        assertError(gateway.send("POST", "/v1/models"), 405, "method_not_allowed");
        assertError(gateway.send("DELETE", "/v1/turns/turn_x"), 404, "turn_not_found");
        assertError(gateway.send("POST", "/v1/turns/turn_x/cancel"), 404, "turn_not_found");
        assertError(gateway.send("POST", "/v1/turns/turn%22x/cancel"), 400, "invalid_request");
    }

    @Test
    void testLargeBodies() throws Exception {
        String content = "x".repeat(7 << 20);
        String fits = "{\"messages\":[{\"role\":\"user\",\"content\":\"" + content + "\"}]}";
        assertThat(gateway.post(fits).statusCode()).isEqualTo(200);
        String large = " ".repeat(50 << 20);
        assertThat(largePost(large, true)).startsWith("HTTP/1.1 413 ").contains("larger than 8388608 bytes");
        assertThat(largePost(large, false)).startsWith("HTTP/1.1 413 ").contains("larger than 8388608 bytes");
    }

    // A client that sends all before it reads sees its connection reset instead, so the answer is read meanwhile.
    private String largePost(String body, boolean withLength) throws Exception {
        try (Socket socket = gateway.socket()) {
            OutputStream out = socket.getOutputStream();
            String head = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
            out.write((head
                            + (withLength
                                    ? "Content-Length: " + body.length() + "\r\n\r\n"
                                    : "Transfer-Encoding: chunked\r\n\r\n"))
                    .getBytes(StandardCharsets.US_ASCII));
            Thread writer = new Thread(() -> {
                try {
                    byte[] part = new byte[1 << 16];
                    Arrays.fill(part, (byte) ' ');
                    for (int sent = 0; sent < body.length(); sent += part.length) {
                        if (!withLength) {
                            out.write("10000\r\n".getBytes(StandardCharsets.US_ASCII));
                        }
                        out.write(part);
                        if (!withLength) {
                            out.write("\r\n".getBytes(StandardCharsets.US_ASCII));
                        }
                    }
                } catch (IOException e) {
                    // The gateway may hang up.
                }
            });
            writer.start();
            byte[] answer = new byte[600];
            int size = socket.getInputStream().readNBytes(answer, 0, 120);
            try {
                size += socket.getInputStream().readNBytes(answer, size, 180);
            } catch (IOException e) {
                // What there was is enough.
            }
            socket.close();
            writer.join();
            return new String(answer, 0, size, StandardCharsets.US_ASCII);
        }
    }

    @Test
    void testABodyThatComesTooSlowly() throws Exception {
        gateway.close();
        start(Duration.ofSeconds(1));
        try (Socket socket = gateway.socket()) {
            byte[] request = TestingGateway.rawPost(HELLO);
            OutputStream out = socket.getOutputStream();
            out.write(request, 0, request.length - 20);
            String answer = new String(socket.getInputStream().readNBytes(200), StandardCharsets.US_ASCII);
            assertThat(answer).startsWith("HTTP/1.1 408 ");
        }
        assertThat(gateway.port.turnCount()).isZero();
    }

    @Test
    void testHeadersThatComeTooSlowly() throws Exception {
        gateway.close();
        start(Duration.ofSeconds(1));
        for (boolean second : new boolean[] {false, true}) {
            try (Socket socket = gateway.socket()) {
                OutputStream out = socket.getOutputStream();
                if (second) {
                    out.write(TestingGateway.rawPost(HELLO));
                    String answer = new String(socket.getInputStream().readNBytes(15), StandardCharsets.US_ASCII);
                    assertThat(answer).isEqualTo("HTTP/1.1 200 OK");
                }
                byte[] head = "GET /health HTTP/1.1\r\nHost: localhost\r\nX: ".getBytes(StandardCharsets.US_ASCII);
                TestingGateway.await("the connection is closed, second: " + second, () -> {
                    try {
                        out.write(head[0] == 'G' ? head : new byte[] {'x'});
                        head[0] = 0;
                        return false;
                    } catch (IOException e) {
                        return true;
                    }
                });
            }
        }
    }

    @Test
    void testTooManyHeaders() throws Exception {
        StringBuilder headers = new StringBuilder("GET /health HTTP/1.1\r\nHost: x\r\n");
        for (int i = 0; i < 5_000; i++) {
            headers.append("h").append(i).append(": ").append("v".repeat(20)).append("\r\n");
        }
        try (Socket socket = gateway.socket()) {
            socket.getOutputStream().write(headers.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readNBytes(100), StandardCharsets.US_ASCII);
            assertThat(answer).matches("(?s)HTTP/1.1 4(00|31) .*");
        }
    }

    @Test
    void testHeadersThatNameThings() throws Exception {
        String[] names = {"x-millrace-session-id", "x-dynamo-session-id", "session-id", "x-tenant-id", "idempotency-key"
        };
        for (String name : names) {
            HttpResponse<String> tooLong = gateway.post(HELLO, name, "x".repeat(257));
            assertError(tooLong, 400, "invalid_request");
            assertThat(json(tooLong.body()).at("/error/param").asText()).isEqualTo(name);
            assertError(gateway.post(HELLO, name, "a b"), 400, "invalid_request");
        }
        try (Socket socket = gateway.socket()) {
            socket.getOutputStream().write(TestingGateway.rawPost(HELLO, "session-id", "a\u00e9\u0001b"));
            String answer = new String(socket.getInputStream().readNBytes(40), StandardCharsets.US_ASCII);
            assertThat(answer).startsWith("HTTP/1.1 400 ");
        }
        assertThat(gateway.port.turnCount()).isZero();
        String evil = "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"user\":\"a\\r\\nx-evil: 1\"}";
        HttpResponse<String> response = gateway.post(evil);
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().map()).doesNotContainKey("x-evil");
        assertThat(response.headers().firstValue("x-millrace-session-id").orElseThrow())
                .matches("user_[0-9a-f]{32}");
    }

    @Test
    void testWhenTheJobTakesNothing() throws Exception {
        gateway.port.capacity(0);
        HttpResponse<String> full = gateway.post(HELLO);
        assertError(full, 429, "queue_full");
        assertThat(full.headers().firstValue("retry-after")).isPresent();
        gateway.port.capacity(10);
        gateway.port.ready(false);
        assertError(gateway.post(HELLO), 503, "unavailable");
        assertThat(gateway.send("GET", "/health").statusCode()).isEqualTo(503);
        assertThat(gateway.send("GET", "/health/live").statusCode()).isEqualTo(200);
        gateway.port.ready(true);
        assertThat(gateway.send("GET", "/health").statusCode()).isEqualTo(200);
        assertThat(gateway.send("GET", "/health/ready").statusCode()).isEqualTo(200);
    }

    @Test
    void testModels() throws Exception {
        assertThat(gateway.send("GET", "/v1/models").body())
                .isEqualTo("{\"object\":\"list\",\"data\":[{\"id\":\"test-model\",\"object\":\"model\","
                        + "\"created\":1800000000,\"owned_by\":\"millrace\"}]}");
        assertThat(json(gateway.send("GET", "/v1/models/test-model").body())
                        .get("id")
                        .asText())
                .isEqualTo("test-model");
        assertError(gateway.send("GET", "/v1/models/other"), 404, "model_not_found");
    }
}
