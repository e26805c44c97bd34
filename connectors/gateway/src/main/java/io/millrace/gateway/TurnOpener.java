package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.linecorp.armeria.common.RequestHeaders;
import io.millrace.connector.port.RequestPort;
import io.millrace.connector.port.TurnStream;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatRequest;
import java.util.List;
import java.util.Optional;
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
            boolean valid = colon > 0
                    && text.length() <= ChatRequestParser.MAX_ID_CHARS
                    && !digits.isEmpty()
                    && digits.length() <= MAX_DIGITS
                    && digits.chars().allMatch(c -> c >= '0' && c <= '9');
            if (!valid) {
                throw JsonFields.refuse(LAST_EVENT_HEADER, "must be an event's id, <turn>:<offset>");
            }
            return new EventId(text.substring(0, colon), Integer.parseInt(digits));
        }
    }

    static final String LAST_EVENT_HEADER = "last-event-id";

    private final RequestPort port;
    private final TurnRegistry registry;
    private final PrefixSessions prefixes;
    private final GatewayEnvironment environment;

    TurnOpener(RequestPort port, TurnRegistry registry, PrefixSessions prefixes, GatewayEnvironment environment) {
        this.port = requireNonNull(port, "port");
        this.registry = requireNonNull(registry, "registry");
        this.prefixes = requireNonNull(prefixes, "prefixes");
        this.environment = requireNonNull(environment, "environment");
    }

    /** Begins the turn of a request, or joins the one that its headers name. */
    Opened open(RequestHeaders headers, ParsedChat chat, String bodyHash) {
        Caller caller = SessionResolver.resolve(headers, chat);
        String lastEventId = headers.get(LAST_EVENT_HEADER);
        if (lastEventId != null && !lastEventId.isEmpty() && chat.stream()) {
            return resume(caller, EventId.parse(lastEventId), chat, bodyHash);
        }
        KeptTurn turn = registry.begin(caller, bodyHash, attempt -> newTurn(caller, chat, bodyHash, attempt));
        try {
            return new Opened(turn, port.submit(request(turn, chat)), 0);
        } catch (RuntimeException e) {
            registry.detach(turn);
            registry.retire(turn);
            throw e;
        }
    }

    /** Finds a turn by its id for one more reader. */
    Opened resume(Caller caller, EventId from) {
        KeptTurn turn = registry.find(caller.tenant(), from.turnId());
        if (turn == null) {
            throw new Refusal(Failure.unknownTurn(from.turnId()));
        }
        return resume(turn, from);
    }

    /** Ends a turn early. Returns false if no such turn is known. */
    boolean cancel(Caller caller, String turnId) {
        KeptTurn turn = registry.find(caller.tenant(), turnId);
        if (turn != null) {
            port.cancel(turn.jobSession(), turnId, "cancelled by the client");
            return true;
        }
        String session = caller.session();
        if (session == null || port.find(caller.jobSession(session), turnId).isEmpty()) {
            return false;
        }
        port.cancel(caller.jobSession(session), turnId, "cancelled by the client");
        return true;
    }

    private Opened resume(Caller caller, EventId from, ParsedChat chat, String bodyHash) {
        KeptTurn turn = registry.find(caller.tenant(), from.turnId());
        if (turn == null) {
            String session = caller.session();
            if (session == null) {
                throw new Refusal(Failure.unknownTurn(from.turnId()));
            }
            // This gateway may be younger than the turn. The body says all that the answer's shape needs.
            turn = new KeptTurn(from.turnId(), session, caller, bodyHash, null, shape(chat));
        } else if (!turn.bodyHash().equals(bodyHash)) {
            throw new ServingException(
                    ErrorCode.IDEMPOTENCY_CONFLICT,
                    "Last-Event-ID names the turn of a request with another body",
                    LAST_EVENT_HEADER,
                    null);
        }
        return resume(turn, from);
    }

    private Opened resume(KeptTurn turn, EventId from) {
        Optional<TurnStream> stream = port.find(turn.jobSession(), turn.turnId());
        if (stream.isEmpty()) {
            throw new Refusal(Failure.unknownTurn(from.turnId()));
        }
        return new Opened(registry.attach(turn), stream.get(), from.position());
    }

    private AnswerShape shape(ParsedChat chat) {
        return AnswerShape.of(chat, Math.floorDiv(environment.clock().millis(), 1_000L));
    }

    private KeptTurn newTurn(Caller caller, ParsedChat chat, String bodyHash, int attempt) {
        String session = caller.session();
        String prefix = null;
        if (session == null) {
            List<String> chain = prefixes.chain(
                    ContentHash.of(caller.cacheSalt(chat.cacheSalt()), chat.model()),
                    chat.chat().getMessagesList());
            prefix = chain.get(chain.size() - 1);
            session = prefixes.find(chain);
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

    /** Whether the job takes requests. */
    boolean isReady() {
        return port.isReady();
    }

    static @Nullable String lastEventId(RequestHeaders headers) {
        String value = headers.get(LAST_EVENT_HEADER);
        return value == null || value.isEmpty() ? null : value;
    }
}
