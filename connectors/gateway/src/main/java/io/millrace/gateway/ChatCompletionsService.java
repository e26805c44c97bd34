package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.millrace.gateway.TurnOpener.Opened;
import io.netty.channel.EventLoop;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/chat/completions}: takes a request in, and has its turn read to the client. */
final class ChatCompletionsService implements HttpService {
    // Larger bodies take long enough to parse that the streams of the same event loop would feel it.
    private static final int MAX_INLINE_BODY_BYTES = 8 * 1024;

    private final int maxBodyBytes;
    private final JsonBody json;
    private final ConstraintCheck constraints;
    private final ChatRequestParser parser;
    private final OpenRequests openRequests;
    private final TurnOpener opener;
    private final TurnReader.Surroundings surroundings;

    ChatCompletionsService(
            int maxBodyBytes,
            JsonBody json,
            ChatRequestParser parser,
            OpenRequests openRequests,
            TurnOpener opener,
            TurnReader.Surroundings surroundings) {
        this.maxBodyBytes = maxBodyBytes;
        this.json = requireNonNull(json, "json");
        this.constraints = new ConstraintCheck(json);
        this.parser = requireNonNull(parser, "parser");
        this.openRequests = requireNonNull(openRequests, "openRequests");
        this.opener = requireNonNull(opener, "opener");
        this.surroundings = requireNonNull(surroundings, "surroundings");
    }

    @Override
    public HttpResponse serve(ServiceRequestContext ctx, HttpRequest request) {
        long bodyBytes;
        try {
            checkContentType(request.contentType());
            bodyBytes = bodyBytes(request.headers().contentLength());
            openRequests.open(bodyBytes);
        } catch (RuntimeException e) {
            return ErrorResponses.response(readers().failure(e)).toHttpResponse();
        }
        HttpResponseWriter response = HttpResponse.streaming();
        response.whenComplete().whenComplete((done, thrown) -> openRequests.close());
        request.aggregate(ctx.eventLoop().withoutContext()).whenComplete((body, thrown) -> {
            ctx.clearRequestTimeout();
            if (thrown != null) {
                openRequests.releaseBody(bodyBytes);
                if (response.isOpen()) {
                    response.close(ErrorResponses.response(readers().failure(thrown)));
                }
            } else if (body.content().length() <= MAX_INLINE_BODY_BYTES) {
                answer(ctx, body, bodyBytes, response);
            } else {
                try {
                    ctx.blockingTaskExecutor().withoutContext().execute(() -> answer(ctx, body, bodyBytes, response));
                } catch (RejectedExecutionException e) {
                    openRequests.releaseBody(bodyBytes);
                    response.close(ErrorResponses.response(Failure.stopping()));
                }
            }
        });
        return response;
    }

    private void answer(
            ServiceRequestContext ctx, AggregatedHttpRequest request, long bodyBytes, HttpResponseWriter response) {
        try {
            ParsedChat chat;
            String bodyHash;
            try {
                byte[] body = request.content().array();
                chat = parser.parse(json.parse(body));
                bodyHash = ContentHash.of(body);
            } finally {
                openRequests.releaseBody(bodyBytes);
            }
            if (!response.isOpen()) {
                return;
            }
            if (ConstraintCheck.isDue(chat.chat())) {
                ctx.blockingTaskExecutor().withoutContext().execute(() -> {
                    try {
                        constraints.check(chat.chat());
                        open(ctx, request, chat, bodyHash, response);
                    } catch (RuntimeException e) {
                        response.close(ErrorResponses.response(readers().failure(e)));
                    }
                });
            } else {
                open(ctx, request, chat, bodyHash, response);
            }
        } catch (RejectedExecutionException e) {
            response.close(ErrorResponses.response(Failure.stopping()));
        } catch (RuntimeException e) {
            response.close(ErrorResponses.response(readers().failure(e)));
        }
    }

    private void open(
            ServiceRequestContext ctx,
            AggregatedHttpRequest request,
            ParsedChat chat,
            String bodyHash,
            HttpResponseWriter response) {
        Opened opened = opener.open(request.headers(), chat, bodyHash);
        readers().start(reader(opened, chat.stream(), response, ctx.eventLoop().withoutContext()));
    }

    private TurnReader reader(Opened opened, boolean events, HttpResponseWriter response, EventLoop loop) {
        if (events) {
            return new EventStreamReader(
                    opened.turn(), opened.stream(), opened.resumeAfter(), response, loop, surroundings);
        }
        return new WholeTurnReader(opened.turn(), opened.stream(), response, loop, surroundings);
    }

    private TurnReaders readers() {
        return surroundings.readers();
    }

    private static void checkContentType(@Nullable MediaType type) {
        if (type == null
                || !type.type().equals("application")
                || !type.subtype().equals("json")) {
            throw new Refusal(Failure.http(
                    HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                    "the header content-type must be application/json" + (type == null ? "" : ", but is " + type)));
        }
        Charset charset = type.charset(StandardCharsets.UTF_8);
        if (!charset.equals(StandardCharsets.UTF_8)) {
            throw new Refusal(
                    Failure.http(HttpStatus.UNSUPPORTED_MEDIA_TYPE, "the request body must be UTF-8, not " + charset));
        }
    }

    // A body that does not say its length may have any up to the limit.
    private long bodyBytes(long contentLength) {
        if (contentLength > maxBodyBytes) {
            throw new Refusal(readers().tooLarge());
        }
        return contentLength < 0 ? maxBodyBytes : contentLength;
    }
}
