package io.millrace.gateway;

import static io.millrace.gateway.TestingGateway.HELLO;
import static io.millrace.gateway.TestingGateway.assertError;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.TurnFinished;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.Test;

class AccessTest {
    private static final GatewayOptions OPTIONS = GatewayOptions.of(TestingGateway.MODEL);

    @Test
    void testRequestsNeedOneOfTheTokens() throws Exception {
        GatewayOptions.Access access = new GatewayOptions.Access(List.of("first-token", "second~token="), false);
        try (TestingGateway gateway = new TestingGateway(OPTIONS.withAccess(access))) {
            gateway.port.onTurn(turn -> turn.text("x").finish(TurnFinished.Reason.STOP));
            assertUnauthorized(gateway.post(HELLO));
            for (String wrong : List.of(
                    "Bearer",
                    "Bearer ",
                    "Bearer first-toke",
                    "Bearer first-token2",
                    "Bearer FIRST-TOKEN",
                    "Basic first-token",
                    "first-token",
                    "Bearer first-token,second~token=")) {
                assertUnauthorized(gateway.post(HELLO, "authorization", wrong));
            }
            for (String path : List.of("/v1/models", "/v1/turns/t/events", "/v1/nothing", "/healthy")) {
                assertUnauthorized(gateway.send("GET", path));
            }
            assertUnauthorized(gateway.send("DELETE", "/v1/sessions/s"));
            assertThat(gateway.port.turnCount()).isZero();
            for (String right : List.of("Bearer first-token", "bearer second~token=", "BEARER  first-token ")) {
                assertThat(gateway.post(HELLO, "authorization", right).statusCode())
                        .isEqualTo(200);
            }
            for (String path : List.of("/health", "/health/live", "/health/ready")) {
                assertThat(gateway.send("GET", path).statusCode()).isEqualTo(200);
            }
        }
    }

    @Test
    void testWithoutTokensOnlyLoopbackIsServed() {
        for (String host : List.of("127.0.0.1", "localhost", "::1", "127.1.2.3")) {
            OPTIONS.withAddress(host, 0).checkAccess();
        }
        for (String host : List.of("0.0.0.0", "::", "192.0.2.1", "no.such.host.invalid")) {
            GatewayOptions open = OPTIONS.withAddress(host, 0);
            assertThatThrownBy(() -> new Gateway(open, new TestingRequestPort()))
                    .isInstanceOfSatisfying(
                            ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
                    .hasMessageContaining("--insecure");
            open.withAccess(new GatewayOptions.Access(List.of(), true)).checkAccess();
            open.withAccess(new GatewayOptions.Access(List.of("t"), false)).checkAccess();
        }
    }

    @Test
    void testTokensAreNotShown() {
        for (String wrong : List.of("", "two words", "secr\u00e9t", "t".repeat(4097))) {
            assertThatThrownBy(() -> new GatewayOptions.Access(List.of(wrong), false))
                    .isInstanceOf(IllegalArgumentException.class)
                    .message()
                    .doesNotContain("words", "secr\u00e9t", "ttttt");
        }
        assertThat(OPTIONS.withAccess(new GatewayOptions.Access(List.of("secret"), false))
                        .toString())
                .doesNotContain("secret");
    }

    private static void assertUnauthorized(HttpResponse<String> response) throws Exception {
        assertError(response, 401, "unauthorized");
        assertThat(response.headers().firstValue("www-authenticate")).hasValue("Bearer realm=\"millrace\"");
    }
}
