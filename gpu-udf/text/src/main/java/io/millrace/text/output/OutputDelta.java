package io.millrace.text.output;

import io.millrace.proto.ToolCall;
import io.millrace.proto.ToolCallDelta;
import java.util.List;

/**
 * What a piece of a model's output adds to the message it writes.
 *
 * @param content text added to the message's content; may be empty
 * @param reasoning text added to its reasoning; may be empty
 * @param toolCalls tool calls that are complete now
 * @param callDeltas what is added to calls whose form is certain; those that are complete are in {@code toolCalls} too
 */
public record OutputDelta(String content, String reasoning, List<ToolCall> toolCalls, List<ToolCallDelta> callDeltas) {
    public OutputDelta {
        toolCalls = List.copyOf(toolCalls);
        callDeltas = List.copyOf(callDeltas);
    }

    /** Returns whether it adds nothing. */
    public boolean isEmpty() {
        return content.isEmpty() && reasoning.isEmpty() && toolCalls.isEmpty() && callDeltas.isEmpty();
    }
}
