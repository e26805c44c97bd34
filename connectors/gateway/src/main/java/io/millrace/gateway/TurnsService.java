package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.millrace.gateway.TurnOpener.EventId;
import io.millrace.gateway.TurnOpener.Opened;
import java.util.concurrent.CompletionStage;

/**
 * Turns by their ids: {@code GET /v1/turns/{turn}/events} reads one (on), {@code DELETE /v1/turns/{turn}} and {@code
 * POST /v1/turns/{turn}/cancel} end it early.
 */
final class TurnsService {
    static final String TURN_PARAM = "turn";
    static final String INCLUDE_USAGE_PARAM = "include_usage";

    private final OpenRequests openRequests;
    private final TurnOpener opener;
    private final TurnReader.Surroundings surroundings;

    TurnsService(OpenRequests openRequests, TurnOpener opener, TurnReader.Surroundings surroundings) {
        this.openRequests = requireNonNull(openRequests, "openRequests");
        this.opener = requireNonNull(opener, "opener");
        this.surroundings = requireNonNull(surroundings, "surroundings");
    }

    /** Sends a turn's events, after the one that {@code Last-Event-ID} names. */
    HttpService events() {
        return (ctx, request) -> {
            String turnId = turnId(ctx);
            String lastEventId = TurnOpener.lastEventId(request.headers());
            EventId from = lastEventId == null ? new EventId(turnId, 0) : EventId.parse(lastEventId);
            if (!from.turnId().equals(turnId)) {
                throw JsonFields.refuse(TurnOpener.LAST_EVENT_HEADER, "names an event of another turn");
            }
            openRequests.open(0);
            HttpResponseWriter response = HttpResponse.streaming();
            response.whenComplete().whenComplete((done, thrown) -> openRequests.close());
            try {
                Opened opened = opener.resume(
                        SessionResolver.resolve(request.headers()),
                        from,
                        "true".equals(ctx.queryParam(INCLUDE_USAGE_PARAM)));
                ctx.clearRequestTimeout();
                surroundings
                        .readers()
                        .start(new EventStreamReader(
                                opened.turn(),
                                opened.stream(),
                                opened.resumeAfter(),
                                response,
                                ctx.eventLoop().withoutContext(),
                                surroundings));
            } catch (RuntimeException e) {
                response.close(ErrorResponses.response(surroundings.readers().failure(e)));
            }
            return response;
        };
    }

    /** Ends a turn early. */
    HttpService cancel() {
        return (ctx, request) -> {
            String turnId = turnId(ctx);
            CompletionStage<HttpResponse> answer = opener.cancel(SessionResolver.resolve(request.headers()), turnId)
                    .thenApply(known -> cancelling(turnId, known));
            return HttpResponse.of(answer);
        };
    }

    private static HttpResponse cancelling(String turnId, boolean known) {
        if (!known) {
            throw new Refusal(Failure.unknownTurn(turnId));
        }
        return HttpResponse.of(
                HttpStatus.ACCEPTED,
                MediaType.JSON_UTF_8,
                "{\"id\":\"" + turnId + "\",\"object\":\"turn\",\"status\":\"cancelling\"}");
    }

    private static String turnId(ServiceRequestContext ctx) {
        String turnId = String.valueOf(ctx.pathParam(TURN_PARAM));
        if (!TurnOpener.isTurnId(turnId)) {
            throw JsonFields.refuse(TURN_PARAM, "is no id of a turn");
        }
        return turnId;
    }
}
