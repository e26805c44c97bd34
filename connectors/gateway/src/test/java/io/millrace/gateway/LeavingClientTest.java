package io.millrace.gateway;

import static io.millrace.gateway.TestingGateway.HELLO;
import static io.millrace.gateway.TestingGateway.HELLO_STREAM;
import static io.millrace.gateway.TestingGateway.rawPost;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.proto.TurnFinished;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Clients that leave, or hardly read. */
final class LeavingClientTest {
    private static final int LARGE_TURN_CHUNKS = 60_000;

    private static final String KILOBYTE = "x".repeat(1_000);

    private TestingGateway gateway;

    @BeforeEach
    void start() {
        gateway = new TestingGateway(GatewayOptions.of(TestingGateway.MODEL)
                .withTimeouts(TestingGateway.timeouts(
                        Duration.ofSeconds(5), Duration.ofSeconds(60), Duration.ofSeconds(2), Duration.ofSeconds(20))));
    }

    @AfterEach
    void stop() throws Exception {
        gateway.close();
    }

    private TestingTurnStream postAndLeave(String body, boolean answered, String... headers) throws Exception {
        try (Socket socket = gateway.socket()) {
            socket.getOutputStream().write(rawPost(body, headers));
            TestingTurnStream turn = gateway.port.nextTurn();
            TestingGateway.await("a reader", () -> turn.subscriptionCount() == 1);
            if (answered) {
                turn.text("a");
                assertThat(socket.getInputStream().read()).isEqualTo('H');
            }
            return turn;
        }
    }

    @Test
    void testATurnWithoutASessionIsCancelled() throws Exception {
        for (boolean answered : new boolean[] {true, false}) {
            TestingTurnStream turn = postAndLeave(HELLO_STREAM, answered);
            assertThat(gateway.port.nextCancelled()).isEqualTo(turn.requestId());
        }
        TestingTurnStream whole = postAndLeave(HELLO, false);
        assertThat(gateway.port.nextCancelled()).isEqualTo(whole.requestId());
        TestingTurnStream user = postAndLeave(HELLO.replace("{\"messages", "{\"user\":\"u\",\"messages"), false);
        assertThat(gateway.port.nextCancelled()).isEqualTo(user.requestId());
    }

    @Test
    void testATurnWithASessionGoesOn() throws Exception {
        String keyed = HELLO_STREAM.replace("{\"stream", "{\"prompt_cache_key\":\"k\",\"stream");
        List<TestingTurnStream> turns = List.of(
                postAndLeave(HELLO_STREAM, true, "x-session-id", "s"),
                postAndLeave(HELLO, false, "x-millrace-session-id", "s"),
                postAndLeave(HELLO_STREAM, true, "idempotency-key", "k"),
                postAndLeave(keyed, true));
        gateway.assertNothingLeft();
        for (TestingTurnStream turn : turns) {
            assertThat(turn.isComplete()).isFalse();
            turn.text("b").finish(TurnFinished.Reason.STOP);
        }
        assertThat(gateway.port.cancelledCount()).isZero();
        String rest = gateway.post(
                        HELLO_STREAM,
                        "x-session-id",
                        "s",
                        "last-event-id",
                        turns.get(0).requestId() + ":1")
                .body();
        assertThat(rest).startsWith("id: " + turns.get(0).requestId() + ":2\n").contains("\"content\":\"b\"");
    }

    @Test
    void testATurnGoesOnAsLongAsSomebodyReadsIt() throws Exception {
        CompletableFuture<HttpResponse<String>> stays = gateway.postAsync(HELLO_STREAM);
        TestingTurnStream turn = gateway.port.nextTurn().text("a");
        try (Socket socket = gateway.socket()) {
            socket.getOutputStream().write(rawPost(HELLO_STREAM, "last-event-id", turn.requestId() + ":0"));
            assertThat(socket.getInputStream().read()).isEqualTo('H');
        }
        TestingGateway.await("one reader less", () -> turn.subscriptionCount() == 1);
        assertThat(gateway.port.cancelledCount()).isZero();
        turn.finish(TurnFinished.Reason.STOP);
        assertThat(SseEvent.parse(stays.get().body())).hasSize(3);
    }

    private Socket narrowSocket() throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4 * 1024);
        socket.setSoTimeout(20_000);
        socket.connect(new InetSocketAddress("127.0.0.1", gateway.gateway.port()));
        return socket;
    }

    @Test
    void testAClientThatReadsByteByByte() throws Exception {
        gateway.port.onTurn(turn -> {
            for (int i = 0; i < (turn.sessionId().equals("slow") ? LARGE_TURN_CHUNKS : 20); i++) {
                turn.text(KILOBYTE);
            }
            turn.finish(TurnFinished.Reason.STOP);
        });
        try (Socket socket = narrowSocket()) {
            socket.getOutputStream().write(rawPost(HELLO_STREAM, "session-id", "slow"));
            TestingTurnStream slow = gateway.port.nextTurn();
            InputStream in = socket.getInputStream();
            List<CompletableFuture<HttpResponse<String>>> others = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                assertThat(in.read()).isNotNegative();
                others.add(gateway.postAsync(HELLO_STREAM));
            }
            for (CompletableFuture<HttpResponse<String>> other : others) {
                assertThat(SseEvent.parse(other.get().body())).hasSize(22);
                assertThat(in.read()).isNotNegative();
            }
            // What the gateway has taken is what lies in the system's socket buffers.
            assertThat(slow.readCount()).isLessThan(LARGE_TURN_CHUNKS / 2);
            // It reads on, but too slowly for any of what is written to get out: the connection ends.
            TestingGateway.await("the slow client is let go", () -> {
                try {
                    return in.read() < 0 || slow.subscriptionCount() == 0;
                } catch (IOException e) {
                    return true;
                }
            });
            TestingGateway.await("no subscription", () -> slow.subscriptionCount() == 0);
            TestingGateway.await("connection closed", () -> {
                try {
                    return in.readNBytes(1 << 16).length == 0;
                } catch (IOException e) {
                    return true;
                }
            });
        }
        assertThat(gateway.port.cancelledCount()).isZero();
    }

    @Test
    void testAClientThatDoesNotReadAWholeAnswer() throws Exception {
        gateway.port.onTurn(turn -> {
            for (int i = 0; i < LARGE_TURN_CHUNKS / 2; i++) {
                turn.text(KILOBYTE);
            }
            turn.finish(TurnFinished.Reason.STOP);
        });
        try (Socket socket = narrowSocket()) {
            socket.getOutputStream().write(rawPost(HELLO));
            assertThat(socket.getInputStream().read()).isEqualTo('H');
            gateway.assertNothingLeft();
        }
    }

    @Test
    void testASlowButSteadyClientGetsAll() throws Exception {
        gateway.port.onTurn(turn -> {
            for (int i = 0; i < 2_000; i++) {
                turn.text(KILOBYTE);
            }
            turn.finish(TurnFinished.Reason.STOP);
        });
        try (Socket socket = narrowSocket()) {
            socket.getOutputStream().write(rawPost(HELLO_STREAM, "Connection", "close"));
            InputStream in = socket.getInputStream();
            StringBuilder end = new StringBuilder();
            byte[] part = new byte[8 * 1024];
            for (int size = in.read(part); size >= 0; size = in.read(part)) {
                Thread.sleep(1);
                end.append(new String(part, 0, size, StandardCharsets.UTF_8));
                end.delete(0, Math.max(0, end.length() - 100));
            }
            assertThat(end.toString()).contains("data: [DONE]");
        }
    }
}
