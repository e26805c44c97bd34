package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ToolCall;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds the sessions of clients that name none: by the longest sequence of messages seen before that the new messages
 * begin with. Knows a bounded number of sequences and forgets those that were of no use for longest.
 *
 * <p>Sequences are named by a chain of hashes, one a message. A request's messages are known from its start, and with
 * the answer from its end. Only a sequence shorter than the new one counts: agents that begin alike are different
 * sessions.
 */
final class PrefixSessions {
    private final JsonBody json;
    private final Map<String, String> sessions;

    PrefixSessions(JsonBody json, int maxPrefixes) {
        this.json = requireNonNull(json, "json");
        this.sessions = new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<String, String> eldest) {
                return size() > maxPrefixes;
            }
        };
    }

    /** The hash after each message; {@code root} keeps what must not be mixed apart, such as tenants and models. */
    List<String> chain(String root, List<ChatMessage> messages) {
        List<String> chain = new ArrayList<>(messages.size());
        String parent = root;
        for (ChatMessage message : messages) {
            parent = extend(parent, message);
            chain.add(parent);
        }
        return chain;
    }

    /** The hash of a chain's sequence and one more message. */
    String extend(String parent, ChatMessage message) {
        ContentHash hash = new ContentHash()
                .add(parent)
                .add(message.getRole())
                .add(message.getContent())
                .add(message.getToolCallId());
        for (ToolCall call : message.getToolCallsList()) {
            hash.add(call.getId()).add(call.getName()).add(canonical(call.getArgumentsJson()));
        }
        return hash.hex();
    }

    /** The session of the longest known sequence that is shorter than this one. */
    synchronized @Nullable String find(List<String> chain) {
        for (int i = chain.size() - 2; i >= 0; i--) {
            String session = sessions.get(chain.get(i));
            if (session != null) {
                return session;
            }
        }
        return null;
    }

    /** Makes a sequence known as a session's. */
    synchronized void put(String hash, String session) {
        sessions.put(hash, session);
    }

    // Clients send arguments back with white space of their own.
    private String canonical(String argumentsJson) {
        try {
            JsonNode arguments = json.parseText(argumentsJson, "arguments");
            return json.write(arguments);
        } catch (ServingException e) {
            return argumentsJson;
        }
    }
}
