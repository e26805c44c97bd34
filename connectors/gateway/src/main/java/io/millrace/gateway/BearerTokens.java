package io.millrace.gateway;

import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.ResponseHeaders;
import com.linecorp.armeria.server.HttpService;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Lets requests in that bring one of some tokens ({@code Authorization: Bearer}, RFC 6750). Tokens are compared by
 * their hashes, all of them and each to its end, so that the time it takes says nothing about them.
 */
final class BearerTokens {
    private static final String SCHEME = "Bearer ";
    private static final String HEALTH_PATH = "/health";

    private final List<byte[]> hashes = new ArrayList<>();

    BearerTokens(List<String> tokens) {
        for (String token : tokens) {
            hashes.add(hash(token));
        }
    }

    /** The service behind a check of tokens; whether the gateway is well everybody may ask. */
    HttpService guard(HttpService service) {
        if (hashes.isEmpty()) {
            return service;
        }
        return (ctx, request) -> {
            String path = ctx.path();
            boolean health = path.equals(HEALTH_PATH) || path.startsWith(HEALTH_PATH + "/");
            if (health || accepts(request.headers().get(HttpHeaderNames.AUTHORIZATION))) {
                return service.serve(ctx, request);
            }
            HttpResponse refusal =
                    ErrorResponses.response(Failure.unauthorized()).toHttpResponse();
            return refusal.mapHeaders(headers -> withChallenge(headers));
        };
    }

    private static ResponseHeaders withChallenge(ResponseHeaders headers) {
        return headers.toBuilder()
                .set(HttpHeaderNames.WWW_AUTHENTICATE, "Bearer realm=\"millrace\"")
                .build();
    }

    /** Whether a header brings one of the tokens. */
    boolean accepts(@Nullable String authorization) {
        if (authorization == null || !authorization.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            return false;
        }
        byte[] given = hash(authorization.substring(SCHEME.length()).trim());
        boolean accepted = false;
        for (byte[] hash : hashes) {
            accepted |= MessageDigest.isEqual(hash, given);
        }
        return accepted;
    }

    private static byte[] hash(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
