package io.millrace.gateway;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.linecorp.armeria.common.AggregatedHttpResponse;
import com.linecorp.armeria.common.ClosedSessionException;
import com.linecorp.armeria.common.ContentTooLargeException;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.common.ResponseCompleteException;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.common.ResponseHeadersBuilder;
import com.linecorp.armeria.common.stream.AbortedStreamException;
import com.linecorp.armeria.common.stream.ClosedStreamException;
import com.linecorp.armeria.common.util.Exceptions;
import com.linecorp.armeria.server.HttpResponseException;
import com.linecorp.armeria.server.HttpStatusException;
import com.linecorp.armeria.server.RequestTimeoutException;
import com.linecorp.armeria.server.ServerErrorHandler;
import com.linecorp.armeria.server.ServiceConfig;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.millrace.kv.ServingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes failures as clients of OpenAI's interface expect them, whoever found them: us, or the HTTP server. */
final class ErrorResponses implements ServerErrorHandler {
    static final String RETRY_AFTER_SECONDS = "1";

    private static final Logger LOG = LoggerFactory.getLogger(ErrorResponses.class);

    private final int maxBodyBytes;

    ErrorResponses(int maxBodyBytes) {
        this.maxBodyBytes = maxBodyBytes;
    }

    static byte[] body(Failure failure) {
        StringBuilder json = new StringBuilder("{\"error\":{\"message\":");
        quote(json, failure.message());
        json.append(",\"type\":");
        quote(json, failure.type());
        json.append(",\"param\":");
        quote(json, failure.param());
        json.append(",\"code\":");
        quote(json, failure.code());
        return json.append("}}").toString().getBytes(StandardCharsets.UTF_8);
    }

    static AggregatedHttpResponse response(Failure failure) {
        ResponseHeadersBuilder headers =
                ResponseHeaders.builder(failure.status()).contentType(MediaType.JSON_UTF_8);
        if (failure.retryable()) {
            headers.set(HttpHeaderNames.RETRY_AFTER, RETRY_AFTER_SECONDS);
        } else if (failure.status().equals(HttpStatus.TOO_MANY_REQUESTS)) {
            // Clients retry a 429 by themselves; this one would not end otherwise.
            headers.set("x-should-retry", "false");
        }
        return AggregatedHttpResponse.of(headers.build(), HttpData.wrap(body(failure)));
    }

    /** What to tell a client about an exception. Defects are logged, and not described to strangers. */
    Failure failure(Throwable thrown) {
        Throwable cause = Exceptions.peel(thrown);
        if (cause instanceof Refusal e) {
            return e.failure();
        }
        if (cause instanceof ServingException e) {
            return Failure.of(e);
        }
        if (cause instanceof ContentTooLargeException) {
            return tooLarge();
        }
        if (cause instanceof RequestTimeoutException) {
            return Failure.http(HttpStatus.REQUEST_TIMEOUT, "the request did not arrive in time");
        }
        if (cause instanceof HttpStatusException e) {
            return http(e.httpStatus(), null);
        }
        if (isClientGone(cause)) {
            return Failure.http(HttpStatus.BAD_REQUEST, "the request was cut off");
        }
        LOG.error("A request failed", cause);
        return Failure.http(HttpStatus.INTERNAL_SERVER_ERROR, "an internal error; the gateway's log says more");
    }

    private static boolean isClientGone(Throwable cause) {
        return cause instanceof ClosedSessionException
                || cause instanceof AbortedStreamException
                || cause instanceof ClosedStreamException
                || cause instanceof ResponseCompleteException;
    }

    Failure tooLarge() {
        return Failure.http(
                HttpStatus.REQUEST_ENTITY_TOO_LARGE, "the request body is larger than " + maxBodyBytes + " bytes");
    }

    private Failure http(HttpStatus status, @Nullable String description) {
        if (status.equals(HttpStatus.REQUEST_ENTITY_TOO_LARGE)) {
            return tooLarge();
        }
        return Failure.http(status, description == null ? status.reasonPhrase() : description);
    }

    @Override
    public HttpResponse onServiceException(ServiceRequestContext ctx, Throwable cause) {
        if (Exceptions.peel(cause) instanceof HttpResponseException e) {
            return e.httpResponse();
        }
        return response(failure(cause)).toHttpResponse();
    }

    @Override
    public AggregatedHttpResponse onProtocolViolation(
            ServiceConfig config,
            @Nullable RequestHeaders headers,
            HttpStatus status,
            @Nullable String description,
            @Nullable Throwable cause) {
        return response(http(status, description));
    }

    @Override
    public AggregatedHttpResponse renderStatus(
            @Nullable ServiceRequestContext ctx,
            ServiceConfig config,
            @Nullable RequestHeaders headers,
            HttpStatus status,
            @Nullable String description,
            @Nullable Throwable cause) {
        return response(http(status, description));
    }

    private static void quote(StringBuilder json, @Nullable String text) {
        if (text == null) {
            json.append("null");
            return;
        }
        json.append('"');
        JsonStringEncoder.getInstance().quoteAsString(text, json);
        json.append('"');
    }
}
