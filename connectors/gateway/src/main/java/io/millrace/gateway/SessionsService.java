package io.millrace.gateway;

import static io.millrace.gateway.ByteBuilder.utf8;
import static java.util.Objects.requireNonNull;

import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.millrace.connector.port.RequestPort;
import io.millrace.connector.port.TurnStream;
import io.millrace.kv.ErrorCode;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.CloseRequest;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.TurnFinished;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * Sessions by their ids: {@code DELETE /v1/sessions/{session}} ends one, with its turns and its place in every cache.
 * Whoever leaves before the answer has ended it all the same.
 */
final class SessionsService {
    static final String SESSION_PARAM = "session";

    private final OpenRequests openRequests;
    private final RequestPort port;
    private final GatewayEnvironment environment;
    private final GatewayOptions.Timeouts timeouts;

    SessionsService(
            OpenRequests openRequests,
            RequestPort port,
            GatewayEnvironment environment,
            GatewayOptions.Timeouts timeouts) {
        this.openRequests = requireNonNull(openRequests, "openRequests");
        this.port = requireNonNull(port, "port");
        this.environment = requireNonNull(environment, "environment");
        this.timeouts = requireNonNull(timeouts, "timeouts");
    }

    /** Ends a session, and answers when it has ended. */
    HttpService delete() {
        return (ctx, request) -> {
            String session = session(ctx);
            AgentRequest close = closeRequest(session, SessionResolver.resolve(request.headers()));
            openRequests.open(0);
            CompletableFuture<AggregatedHttpResponse> answer;
            try {
                answer = answer(session, port.submit(close), ctx.eventLoop().withoutContext());
            } catch (RuntimeException e) {
                openRequests.close();
                throw e;
            }
            ctx.clearRequestTimeout();
            return HttpResponse.of(answer.thenApply(AggregatedHttpResponse::toHttpResponse));
        };
    }

    private static String session(ServiceRequestContext ctx) {
        String session = String.valueOf(ctx.pathParam(SESSION_PARAM));
        if (!SessionResolver.isSession(session)) {
            throw JsonFields.refuse(SESSION_PARAM, "is no id of a session");
        }
        return session;
    }

    private AgentRequest closeRequest(String session, Caller caller) {
        String jobSession = caller.jobSession(session);
        String key = caller.idempotencyKey();
        return AgentRequest.newBuilder()
                .setSessionId(jobSession)
                .setRequestId(
                        "close_" + (key == null ? environment.newId().get() : ContentHash.of("close", jobSession, key)))
                .setArrivalMs(environment.clock().millis())
                .setClose(CloseRequest.newBuilder().setReason("deleted by the client"))
                .build();
    }

    private CompletableFuture<AggregatedHttpResponse> answer(String session, TurnStream stream, Executor loop) {
        CompletableFuture<AggregatedHttpResponse> answer = new CompletableFuture<>();
        answer.whenComplete((done, thrown) -> openRequests.close());
        // Chunks come on the job's thread, which has others to serve.
        TurnStream.Subscription subscription = stream.onProgress(() -> {
            if (stream.isComplete()) {
                loop.execute(() -> answer.complete(answer(session, stream)));
            }
        });
        answer.whenComplete((done, thrown) -> subscription.close());
        answer.completeOnTimeout(
                ErrorResponses.response(Failure.closeTimedOut()),
                timeouts.request().toMillis(),
                TimeUnit.MILLISECONDS);
        return answer;
    }

    private static AggregatedHttpResponse answer(String session, TurnStream stream) {
        TokenChunk last = requireNonNull(stream.chunk(stream.chunkCount() - 1), "last chunk");
        if (last.hasFailed()) {
            return ErrorResponses.response(Failure.of(last.getFailed()));
        }
        TurnFinished.Reason reason = last.getFinished().getReason();
        if (reason != TurnFinished.Reason.CLOSED) {
            String message = "the request to close the session ended as " + reason;
            return ErrorResponses.response(Failure.of(ErrorCode.INTERNAL, message, null));
        }
        byte[] body = new ByteBuilder()
                .append(utf8("{\"id\":"))
                .appendQuoted(session)
                .append(utf8(",\"object\":\"session.deleted\",\"deleted\":true}"))
                .take();
        return AggregatedHttpResponse.of(HttpStatus.OK, MediaType.JSON_UTF_8, HttpData.wrap(body));
    }
}
