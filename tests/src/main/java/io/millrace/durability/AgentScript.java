package io.millrace.durability;

import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.OutputConstraint;
import io.millrace.proto.SamplingParams;
import java.util.List;

/**
 * What the agents of a run ask: the same in every run, but for what the model has answered before. Greedy and sampled
 * turns, stop strings, penalties, tenants with a cache of their own, and long prompts; all begin with one of two system
 * prompts.
 *
 * @param sessions number of sessions
 * @param turns turns of each
 * @param systemChars length of a system prompt
 * @param longChars length of every fourth or so question
 * @param minTokens least of {@code max_tokens}
 * @param maxTokens most of {@code max_tokens}
 */
public record AgentScript(int sessions, int turns, int systemChars, int longChars, int minTokens, int maxTokens) {
    private static final String TEXT = "the water runs down the mill race and turns the wheel and the wheel turns the"
            + " stone; when the stone turns the grain becomes flour and the flour becomes bread for the people. ";
    private static final String SCHEMA = "{\"type\": \"object\", \"properties\": {"
            + "\"grain\": {\"enum\": [\"wheat\", \"rye\", \"oats\"]},"
            + " \"sacks\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 999},"
            + " \"note\": {\"type\": \"string\"}},"
            + " \"required\": [\"grain\", \"sacks\", \"note\"], \"additionalProperties\": false}";
    private static final String PATTERN = "(yes|no|perhaps), said the miller( [a-z]{1,9}){2,12}\\.";
    private static final List<String> STOPS = List.of("e", "th", "un", " a");

    /** A hundred turns of 20 sessions, sized for a small generated model. */
    public static final AgentScript SMALL = new AgentScript(20, 5, 200, 400, 8, 32);

    /** A hundred turns of 20 sessions, sized for the demo model. */
    public static final AgentScript DEMO = new AgentScript(20, 5, 100, 300, 3, 9);

    /** Turns of all sessions together. */
    public int turnCount() {
        return sessions * turns;
    }

    /** The name of a session. */
    public static String sessionId(int session) {
        return "session-%02d".formatted(session);
    }

    /** The name of a session's turn. */
    public static String requestId(int turn) {
        return "turn-%02d".formatted(turn);
    }

    /** The message that a session begins with. */
    public ChatMessage system(int session) {
        String text = (session % 2 == 0 ? "you are a mill. " : "you are the miller. ") + TEXT.repeat(8);
        return message("system", text.substring(0, systemChars));
    }

    /** What a session asks next. */
    public ChatMessage question(int session, int turn) {
        String text = "grain " + session + " of day " + turn;
        if ((session + turn) % 4 == 1) {
            text += ": " + TEXT.repeat(8).substring(session, session + longChars);
        }
        return message("user", text);
    }

    /** The request of a turn. */
    public AgentRequest request(int session, int turn, List<ChatMessage> messages) {
        ChatRequest.Builder chat = ChatRequest.newBuilder()
                .addAllMessages(messages)
                .setPriority(session % 3)
                .setSampling(sampling(session, turn));
        // Every third turn is held to a form; all of them are guessed at.
        switch ((session + 2 * turn) % 6) {
            case 2 -> chat.setOutputConstraint(OutputConstraint.newBuilder().setJsonSchema(SCHEMA));
            case 5 -> chat.setOutputConstraint(OutputConstraint.newBuilder().setRegex(PATTERN));
            default -> {}
        }
        return AgentRequest.newBuilder()
                .setSessionId(sessionId(session))
                .setRequestId(requestId(turn))
                .setArrivalMs(System.currentTimeMillis())
                .setCacheSalt(session % 7 == 3 ? "tenant" : "")
                .setChat(chat)
                .build();
    }

    static ChatMessage message(String role, String content) {
        return ChatMessage.newBuilder().setRole(role).setContent(content).build();
    }

    private SamplingParams sampling(int session, int turn) {
        SamplingParams.Builder sampling = SamplingParams.newBuilder()
                .setMaxTokens(minTokens + (session * 7 + turn * 11) % (maxTokens - minTokens + 1))
                .setIgnoreEos(session % 2 == 0)
                .setSeed(1_000L * session + turn);
        switch (session % 4) {
            case 0 -> {} // greedy
            case 1 -> sampling.setTemperature(0.8f).setTopK(40);
            case 2 ->
                sampling.setTemperature(1.2f)
                        .setTopP(0.9f)
                        .setRepetitionPenalty(1.1f)
                        .setPresencePenalty(0.2f);
            default -> sampling.setTemperature(0.7f).setMinP(0.02f).setFrequencyPenalty(0.1f);
        }
        if (session % 5 == 3) {
            sampling.addStop(STOPS.get(turn % STOPS.size()));
        }
        return sampling.build();
    }
}
