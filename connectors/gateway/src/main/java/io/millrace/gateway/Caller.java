package io.millrace.gateway;

import org.jspecify.annotations.Nullable;

/**
 * Who sends a request, as far as the request says.
 *
 * @param tenant isolates sessions, idempotency keys and cached prefixes from those of others; empty for none
 * @param session the client's own name of its session, or null if it gave none
 * @param lasting whether the session's turns go on when the client leaves
 * @param idempotencyKey names the request among those of its session, or of its tenant if there is no session
 */
record Caller(
        String tenant,
        @Nullable String session,
        boolean lasting,
        @Nullable String idempotencyKey) {
    /**
     * The job's name of a session. A client's own names have no spaces, so none can be another tenant's session.
     */
    String jobSession(String clientSession) {
        return tenant.isEmpty() ? clientSession : tenant + " " + clientSession;
    }

    /** What the idempotency key is unique in. */
    String idempotencyScope() {
        return tenant + " " + (session == null ? "" : session);
    }

    /** The salt of the prefix cache: no tenant can name another's. */
    String cacheSalt(@Nullable String ownSalt) {
        String tenantPart = tenant.isEmpty() ? "" : "t" + tenant.length() + ":" + tenant;
        return tenantPart + (ownSalt == null ? "" : "s:" + ownSalt);
    }
}
