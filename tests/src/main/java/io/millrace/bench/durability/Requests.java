package io.millrace.bench.durability;

import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.SamplingParams;
import java.util.List;

/** Requests of the suite: greedy, and of exactly as many tokens as they ask for. */
final class Requests {
    private Requests() {}

    /** A turn; sessions with different salts share no blocks. */
    static AgentRequest turn(String session, String request, String salt, List<ChatMessage> messages, int tokens) {
        return AgentRequest.newBuilder()
                .setSessionId(session)
                .setRequestId(request)
                .setCacheSalt(salt)
                .setArrivalMs(System.currentTimeMillis())
                .setChat(ChatRequest.newBuilder()
                        .addAllMessages(messages)
                        .setSampling(
                                SamplingParams.newBuilder().setMaxTokens(tokens).setIgnoreEos(true)))
                .build();
    }

    /** A message. */
    static ChatMessage message(String role, String content) {
        return ChatMessage.newBuilder().setRole(role).setContent(content).build();
    }
}
