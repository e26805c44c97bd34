package io.millrace.job.cli;

import java.util.List;

/**
 * What a turn's stream came to.
 *
 * @param content the assistant's text
 * @param toolCalls the tools that it calls
 * @param finishReason why it ended, such as {@code stop} or {@code tool_calls}
 * @param promptTokens tokens of the prompt
 * @param cachedTokens prompt tokens whose keys and values were found in the cache
 * @param completionTokens tokens of the reply
 * @param ttftMs milliseconds from sending the request to the first token, see {@link ReplyAssembler}
 * @param elapsedMs milliseconds from sending the request to the end of the stream
 */
record ChatReply(
        String content,
        List<ToolCall> toolCalls,
        String finishReason,
        int promptTokens,
        int cachedTokens,
        int completionTokens,
        double ttftMs,
        double elapsedMs) {
    ChatReply {
        toolCalls = List.copyOf(toolCalls);
    }

    /** Tokens per second after the first token, or over the whole turn where that is the only one. */
    double tokensPerSecond() {
        double decodeMs = elapsedMs - ttftMs;
        if (completionTokens > 1 && decodeMs > 0) {
            return (completionTokens - 1) * 1000.0 / decodeMs;
        }
        return elapsedMs > 0 ? completionTokens * 1000.0 / elapsedMs : 0;
    }

    /**
     * A call of a tool.
     *
     * @param id what the tool's answer refers to
     * @param name the tool
     * @param arguments JSON text, as the model wrote it
     */
    record ToolCall(String id, String name, String arguments) {}
}
