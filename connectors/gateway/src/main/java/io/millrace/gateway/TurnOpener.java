package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.linecorp.armeria.common.RequestHeaders;
import io.millrace.connector.port.RequestPort;
import io.millrace.connector.port.TurnStream;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.ResendRequest;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Finds a request's session, names its turn, and hands it to the job; or finds the turn that the request means. */
final class TurnOpener {
    /** A turn with its tokens, and where to begin to read. The turn has been counted one reader more. */
    record Opened(KeptTurn turn, TurnStream stream, int resumeAfter) {}

    /** The id of an event: {@code <turn>:<position>}. */
    record EventId(String turnId, int position) {
        private static final int MAX_DIGITS = 9;

        static EventId parse(String text) {
            int colon = text.lastIndexOf(':');
            String digits = text.substring(colon + 1);
            if (colon < 0
                    || !isTurnId(text.substring(0, colon))
                    || digits.isEmpty()
                    || digits.length() > MAX_DIGITS
                    || !digits.chars().allMatch(c -> c >= '0' && c <= '9')) {
                throw JsonFields.refuse(LAST_EVENT_HEADER, "must be an event's id, <turn>:<offset>");
            }
            return new EventId(text.substring(0, colon), Integer.parseInt(digits));
        }
    }

    private static final Pattern TURN_ID = Pattern.compile("[a-zA-Z0-9_-]{1,256}");

    static final String LAST_EVENT_HEADER = "last-event-id";

    private final RequestPort port;
    private final TurnRegistry registry;
    private final PrefixSessions prefixes;
    private final GatewayEnvironment environment;
    private final String defaultModel;
    private final boolean oneOfSeveral;

    /**
     * Opens turns at a port.
     *
     * @param defaultModel what answers name as the model where the request is not known
     * @param oneOfSeveral whether other gateways serve the same job
     */
    TurnOpener(
            RequestPort port,
            TurnRegistry registry,
            PrefixSessions prefixes,
            GatewayEnvironment environment,
            String defaultModel,
            boolean oneOfSeveral) {
        this.defaultModel = requireNonNull(defaultModel, "defaultModel");
        this.oneOfSeveral = oneOfSeveral;
        this.port = requireNonNull(port, "port");
        this.registry = requireNonNull(registry, "registry");
        this.prefixes = requireNonNull(prefixes, "prefixes");
        this.environment = requireNonNull(environment, "environment");
    }

    /** Begins the turn of a request, or joins the one that its headers name. */
    Opened open(RequestHeaders headers, ParsedChat chat, String bodyHash) {
        Caller caller = SessionResolver.resolve(headers, chat);
        String lastEventId = lastEventId(headers);
        if (lastEventId != null && chat.stream()) {
            return resume(caller, EventId.parse(lastEventId), chat, bodyHash);
        }
        // Hashing long messages takes a while, so it is done before the registry is locked.
        List<String> chain = caller.session() == null ? chain(caller, chat) : List.of();
        KeptTurn turn = registry.begin(caller, bodyHash, attempt -> newTurn(caller, chat, chain, bodyHash, attempt));
        return submit(turn, chat, 0);
    }

    /**
     * Finds a turn by its id for one more reader. One that is not known here the job is asked for, if the caller names
     * its session.
     *
     * @param includeUsage whether the stream ends with a usage event, where the request that says so is not known
     */
    Opened resume(Caller caller, EventId from, boolean includeUsage) {
        KeptTurn known = registry.find(caller.tenant(), from.turnId());
        String session = caller.session();
        if (known == null && session == null) {
            throw new Refusal(Failure.unknownTurn(from.turnId()));
        }
        KeptTurn turn = known != null
                ? known
                : new KeptTurn(from.turnId(), requireNonNull(session), caller, "", null, defaultShape(includeUsage));
        TurnStream stream =
                port.find(turn.jobSession(), turn.turnId()).orElseGet(() -> port.submit(resendRequest(turn)));
        return new Opened(registry.attach(turn), stream, from.position());
    }

    private AnswerShape defaultShape(boolean includeUsage) {
        return new AnswerShape(defaultModel, createdSeconds(), includeUsage, false, Set.of());
    }

    private AgentRequest resendRequest(KeptTurn turn) {
        return AgentRequest.newBuilder()
                .setSessionId(turn.jobSession())
                .setRequestId(turn.turnId())
                .setArrivalMs(environment.clock().millis())
                .setResend(ResendRequest.getDefaultInstance())
                .build();
    }

    /** Ends a turn early; the result is false if there is no such turn, as far as is known. */
    CompletionStage<Boolean> cancel(Caller caller, String turnId) {
        KeptTurn turn = registry.find(caller.tenant(), turnId);
        String session = turn == null ? caller.session() : turn.clientSession();
        if (session == null) {
            return CompletableFuture.completedFuture(false);
        }
        String jobSession = turn == null ? caller.jobSession(session) : turn.jobSession();
        return port.cancel(jobSession, turnId, "cancelled by the client")
                // A turn that this gateway knows and the port has forgotten has ended.
                .thenApply(known -> known || turn != null);
    }

    // The job sends a repeated request's tokens again, and they are the same ones: so the turn is found even where the
    // port, or this whole process, is younger than it.
    private Opened resume(Caller caller, EventId from, ParsedChat chat, String bodyHash) {
        KeptTurn turn = registry.find(caller.tenant(), from.turnId());
        if (turn == null) {
            String session = caller.session();
            if (session == null) {
                throw new Refusal(Failure.unknownTurn(from.turnId()));
            }
            turn = new KeptTurn(from.turnId(), session, caller, bodyHash, null, shape(chat));
        } else if (!turn.bodyHash().equals(bodyHash)) {
            throw new ServingException(
                    ErrorCode.IDEMPOTENCY_CONFLICT,
                    "Last-Event-ID names the turn of a request with another body",
                    LAST_EVENT_HEADER,
                    null);
        }
        return submit(registry.attach(turn), chat, from.position());
    }

    private Opened submit(KeptTurn turn, ParsedChat chat, int resumeAfter) {
        try {
            // A turn that goes on is joined even where no new one would be taken.
            TurnStream stream =
                    port.find(turn.jobSession(), turn.turnId()).orElseGet(() -> port.submit(request(turn, chat)));
            return new Opened(turn, stream, resumeAfter);
        } catch (RuntimeException e) {
            registry.detach(turn);
            registry.release(turn);
            throw e;
        }
    }

    private AnswerShape shape(ParsedChat chat) {
        return AnswerShape.of(chat, createdSeconds());
    }

    private long createdSeconds() {
        return Math.floorDiv(environment.clock().millis(), 1_000L);
    }

    private List<String> chain(Caller caller, ParsedChat chat) {
        String root = ContentHash.of(caller.cacheSalt(chat.cacheSalt()), chat.model());
        return prefixes.chain(root, chat.chat().getMessagesList());
    }

    private KeptTurn newTurn(Caller caller, ParsedChat chat, List<String> chain, String bodyHash, int attempt) {
        String session = caller.session();
        String prefix = null;
        if (session == null) {
            prefix = chain.get(chain.size() - 1);
            // What other gateways have seen is not known here, so nothing but the key may decide a keyed request's
            // turn.
            session = oneOfSeveral && caller.idempotencyKey() != null ? null : prefixes.find(chain);
            if (session == null) {
                session = "session_" + newSession(caller);
            }
            prefixes.put(prefix, session);
        }
        return new KeptTurn(turnId(caller, session, attempt), session, caller, bodyHash, prefix, shape(chat));
    }

    private String newSession(Caller caller) {
        String key = caller.idempotencyKey();
        return key == null ? environment.newId().get() : ContentHash.of("session", caller.tenant(), key);
    }

    // A key decides the turn's id, so that the job knows the turn again whatever has become of the gateway since.
    private String turnId(Caller caller, String session, int attempt) {
        String key = caller.idempotencyKey();
        return "turn_"
                + (key == null
                        ? environment.newId().get()
                        : ContentHash.of("turn", caller.jobSession(session), key, Integer.toString(attempt)));
    }

    private AgentRequest request(KeptTurn turn, ParsedChat chat) {
        ChatRequest body = chat.chat();
        if (!chat.seedGiven()) {
            long seed = ContentHash.seed(turn.jobSession(), turn.turnId());
            body = body.toBuilder()
                    .setSampling(body.getSampling().toBuilder().setSeed(seed))
                    .build();
        }
        return AgentRequest.newBuilder()
                .setSessionId(turn.jobSession())
                .setRequestId(turn.turnId())
                .setModel(chat.model())
                .setArrivalMs(environment.clock().millis())
                .setCacheSalt(turn.caller().cacheSalt(chat.cacheSalt()))
                .setChat(body)
                .build();
    }

    /** Whether a text can be a turn's id. */
    static boolean isTurnId(String text) {
        return TURN_ID.matcher(text).matches();
    }

    /** The event that a client has read last, or null if it says none. */
    static @Nullable String lastEventId(RequestHeaders headers) {
        String value = headers.get(LAST_EVENT_HEADER);
        return value == null || value.isEmpty() ? null : value;
    }
}
