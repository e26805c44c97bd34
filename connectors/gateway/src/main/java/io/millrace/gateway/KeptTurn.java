package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import org.jspecify.annotations.Nullable;

/** A turn that clients can read, resume or cancel here. Its readers are counted by {@link TurnRegistry}. */
final class KeptTurn {
    private final String turnId;
    private final String clientSession;
    private final Caller caller;
    private final String bodyHash;
    private final @Nullable String prefix;
    private final AnswerShape shape;

    /** Readers of the turn; guarded by the registry. */
    int readerCount;

    /**
     * A turn that is known here.
     *
     * @param bodyHash of the request; empty if only the turn's name is known
     */
    KeptTurn(
            String turnId,
            String clientSession,
            Caller caller,
            String bodyHash,
            @Nullable String prefix,
            AnswerShape shape) {
        this.turnId = requireNonNull(turnId, "turnId");
        this.clientSession = requireNonNull(clientSession, "clientSession");
        this.caller = requireNonNull(caller, "caller");
        this.bodyHash = requireNonNull(bodyHash, "bodyHash");
        this.prefix = prefix;
        this.shape = requireNonNull(shape, "shape");
    }

    /** The turn's name to clients, and the job's request id. */
    String turnId() {
        return turnId;
    }

    /** The session's name to the client. */
    String clientSession() {
        return clientSession;
    }

    /** The session's name to the job. */
    String jobSession() {
        return caller.jobSession(clientSession);
    }

    Caller caller() {
        return caller;
    }

    String tenant() {
        return caller.tenant();
    }

    /** Whether the turn goes on when nobody reads it. */
    boolean lasting() {
        return caller.lasting();
    }

    String bodyHash() {
        return bodyHash;
    }

    /** The hash of the turn's messages, where the session is to be found again by them; else null. */
    @Nullable
    String prefix() {
        return prefix;
    }

    AnswerShape shape() {
        return shape;
    }
}
