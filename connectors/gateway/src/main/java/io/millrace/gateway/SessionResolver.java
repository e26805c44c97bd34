package io.millrace.gateway;

import com.linecorp.armeria.common.RequestHeaders;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads who sends a request: from its headers, in the order of {@link #SESSION_HEADERS}, then from its body. */
final class SessionResolver {
    /** Headers that name a session; the first that is there counts. */
    static final List<String> SESSION_HEADERS = List.of(
            "x-millrace-session-id",
            "x-dynamo-session-id",
            "x-claude-code-session-id",
            "session-id",
            "thread-id",
            "x-session-id");

    static final String TENANT_HEADER = "x-tenant-id";
    static final String IDEMPOTENCY_HEADER = "idempotency-key";

    private static final String CLAUDE_SESSION_HEADER = "x-claude-code-session-id";
    private static final String CLAUDE_AGENT_HEADER = "x-claude-code-agent-id";
    private static final int MAX_ID_CHARS = 256;

    private SessionResolver() {}

    /** The caller by the headers alone, for requests without a body. */
    static Caller resolve(RequestHeaders headers) {
        String session = sessionHeader(headers);
        return new Caller(
                orEmpty(header(headers, TENANT_HEADER)), session, session != null, header(headers, IDEMPOTENCY_HEADER));
    }

    /**
     * The caller by headers and body.
     *
     * @throws ServingException {@code INVALID_REQUEST} if a header that names something is no visible ASCII or too long
     */
    static Caller resolve(RequestHeaders headers, ParsedChat chat) {
        Caller byHeaders = resolve(headers);
        if (byHeaders.session() != null) {
            return byHeaders;
        }
        String cacheKey = bodySession("key", chat.promptCacheKey());
        String session = cacheKey != null ? cacheKey : bodySession("user", chat.user());
        // A user's name says whose the turn is, not that anybody will come back for it.
        boolean lasting = cacheKey != null || byHeaders.idempotencyKey() != null;
        return new Caller(byHeaders.tenant(), session, lasting, byHeaders.idempotencyKey());
    }

    private static @Nullable String sessionHeader(RequestHeaders headers) {
        for (String name : SESSION_HEADERS) {
            String value = header(headers, name);
            if (value == null) {
                continue;
            }
            // The agents that one Claude Code session starts each have a context of their own.
            String agent = name.equals(CLAUDE_SESSION_HEADER) ? header(headers, CLAUDE_AGENT_HEADER) : null;
            return agent == null ? value : value + "/" + agent;
        }
        return null;
    }

    private static @Nullable String header(RequestHeaders headers, String name) {
        String value = headers.get(name);
        if (value == null || value.isEmpty()) {
            return null;
        }
        if (!isId(value)) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    "the header " + name + " must have 1 to " + MAX_ID_CHARS + " visible ASCII characters",
                    name,
                    null);
        }
        return value;
    }

    // Any text may come in a body, but a session's id goes into headers: what does not fit is named by its hash.
    private static @Nullable String bodySession(String kind, @Nullable String value) {
        if (value == null || value.isEmpty()) {
            return null;
        }
        return isId(value) ? value : kind + "_" + ContentHash.of(kind, value);
    }

    /** Whether a text can be what a client calls a session: an id, or the two of an agent. */
    static boolean isSession(String text) {
        int slash = text.indexOf('/', 1);
        return isId(text) || (slash > 0 && isId(text.substring(0, slash)) && isId(text.substring(slash + 1)));
    }

    private static boolean isId(String value) {
        return !value.isEmpty()
                && value.length() <= MAX_ID_CHARS
                && value.chars().allMatch(c -> c > 0x20 && c < 0x7f);
    }

    private static String orEmpty(@Nullable String value) {
        return value == null ? "" : value;
    }
}
