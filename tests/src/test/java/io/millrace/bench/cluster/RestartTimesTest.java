package io.millrace.bench.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RestartTimesTest {
    /** As Flink answers, but for what is not read. */
    private static final Map<String, String> ANSWERS = Map.of(
            "/jobs/j",
            "{\"vertices\":[{\"id\":\"a\",\"name\":\"Source: kafka\"},{\"id\":\"b\",\"name\":\"Decode\"}]}",
            "/jobs/j/exceptions",
            "{\"exceptionHistory\":{\"entries\":[{\"timestamp\":2100},{\"timestamp\":1500},{\"timestamp\":300}]}}",
            "/jobs/j/vertices/a/subtasktimes",
            "{\"subtasks\":[{\"timestamps\":{\"INITIALIZING\":2200,\"RUNNING\":2300}}]}",
            "/jobs/j/vertices/b/subtasktimes",
            "{\"subtasks\":[{\"timestamps\":{\"INITIALIZING\":2500,\"RUNNING\":2600}},"
                    + "{\"timestamps\":{\"INITIALIZING\":2400,\"RUNNING\":2900}}]}");

    private HttpServer server;
    private URI rest;

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            byte[] answer =
                    ANSWERS.getOrDefault(exchange.getRequestURI().getPath(), "").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(answer.length == 0 ? 404 : 200, answer.length == 0 ? -1 : answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
        rest = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void partsAreReadOfTheFirstExceptionAfterTheFailure() throws Exception {
        assertThat(RestartTimes.read(rest, "j", 1000)).isEqualTo(new RestartTimes(1500, 2400, 2900));
    }

    @Test
    void jobThatWasNotRestartedIsSaid() {
        assertThatThrownBy(() -> RestartTimes.read(rest, "j", 5000))
                .hasMessageContaining("Flink does not say that the job was restarted after 5000");
        assertThatThrownBy(() -> RestartTimes.read(rest, "other", 1000))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("/jobs/other/exceptions answered 404");
    }
}
