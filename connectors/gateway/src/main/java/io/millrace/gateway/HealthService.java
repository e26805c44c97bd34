package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.HttpService;
import io.millrace.connector.port.RequestPort;

/** {@code GET /health}, {@code /health/ready} and {@code /health/live}. */
final class HealthService {
    private final RequestPort port;
    private final OpenRequests openRequests;

    HealthService(RequestPort port, OpenRequests openRequests) {
        this.port = requireNonNull(port, "port");
        this.openRequests = requireNonNull(openRequests, "openRequests");
    }

    /** 200 while requests are taken, else 503. */
    HttpService ready() {
        return (ctx, request) -> {
            String status = openRequests.isStopping() ? "stopping" : port.isReady() ? "ok" : "starting";
            return HttpResponse.of(
                    status.equals("ok") ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE,
                    MediaType.JSON_UTF_8,
                    "{\"status\":\"" + status + "\",\"open_requests\":" + openRequests.count() + ",\"open_turns\":"
                            + port.openTurns() + "}");
        };
    }

    /** 200 as long as the process answers at all. */
    HttpService live() {
        return (ctx, request) -> HttpResponse.of(HttpStatus.OK, MediaType.JSON_UTF_8, "{\"status\":\"ok\"}");
    }
}
