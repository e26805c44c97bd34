package io.millrace.gateway;

import static io.millrace.gateway.ByteBuilder.utf8;
import static java.util.Objects.requireNonNull;

import io.millrace.connector.port.TurnStream;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.ToolCall;
import io.millrace.proto.TurnFinished;
import java.util.ArrayList;
import java.util.List;

/**
 * A turn that has finished, put together from its chunks.
 *
 * @param message the assistant's message as the client gets it
 * @param tokenIds the turn's tokens
 * @param finished how it ended
 */
record WholeTurn(ChatMessage message, List<Integer> tokenIds, TurnFinished finished) {
    WholeTurn {
        requireNonNull(message, "message");
        requireNonNull(finished, "finished");
        tokenIds = List.copyOf(tokenIds);
    }

    /** Puts a stream's chunks together; the stream must have finished, not failed. */
    static WholeTurn of(TurnStream stream, AnswerShape shape) {
        StringBuilder content = new StringBuilder();
        StringBuilder reasoning = new StringBuilder();
        List<ToolCall> calls = new ArrayList<>();
        List<Integer> tokenIds = new ArrayList<>();
        TurnFinished finished = TurnFinished.getDefaultInstance();
        int count = stream.chunkCount();
        for (int i = 0; i < count; i++) {
            TokenChunk chunk = requireNonNull(stream.chunk(i), "chunk");
            content.append(chunk.getContent());
            reasoning.append(chunk.getReasoningContent());
            calls.addAll(chunk.getToolCallsList());
            tokenIds.addAll(chunk.getTokenIdsList());
            finished = chunk.getFinished();
        }
        if (shape.singleToolCall() && calls.size() > 1) {
            calls.subList(1, calls.size()).clear();
        }
        ChatMessage.Builder message =
                ChatMessage.newBuilder().setRole("assistant").addAllToolCalls(calls);
        if (content.length() > 0 || calls.isEmpty()) {
            message.setContent(content.toString());
        }
        if (reasoning.length() > 0) {
            message.setReasoningContent(reasoning.toString());
        }
        return new WholeTurn(message.build(), tokenIds, finished);
    }

    /** The body of a whole answer. */
    byte[] json(String turnId, AnswerShape shape) {
        ByteBuilder out = new ByteBuilder();
        out.append(utf8("{" + CompletionJson.head(turnId, "chat.completion", shape)
                + ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"));
        if (message.hasContent()) {
            out.appendQuoted(message.getContent());
        } else {
            out.append(utf8("null"));
        }
        out.append(utf8(",\"refusal\":null"));
        if (message.hasReasoningContent()) {
            out.append(utf8(",\"reasoning_content\":")).appendQuoted(message.getReasoningContent());
        }
        if (message.getToolCallsCount() > 0) {
            out.append(utf8(","));
            CompletionJson.toolCalls(message.getToolCallsList(), out);
        }
        out.append(utf8("},\"logprobs\":null,\"finish_reason\":"));
        out.append(CompletionJson.finishReason(finished)).append(utf8("}],\"usage\":"));
        CompletionJson.usage(finished, out);
        CompletionJson.extras(finished, tokenIds, shape, out);
        return out.append(utf8("}")).take();
    }
}
