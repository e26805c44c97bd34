package io.millrace.text.prompt;

import io.millrace.proto.ToolCall;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** How tools are put into words for a model whose template knows none. */
final class ToolPrompt {
    private ToolPrompt() {}

    /** Returns the part of the system message that offers tools; their strings are guarded already. */
    static String offer(List<? extends @Nullable Object> tools) {
        StringBuilder text = new StringBuilder("You can call these tools, each given by its JSON Schema:\n<tools>\n");
        for (Object tool : tools) {
            text.append(JsonValues.write(tool)).append('\n');
        }
        return text.append("</tools>\n")
                .append("To call a tool, answer with a JSON object of its name and its arguments, like this:\n")
                .append("<tool_call>\n{\"name\": \"TOOL\", \"arguments\": {\"PARAMETER\": \"VALUE\"}}\n</tool_call>\n")
                .append("The results come back in <tool_response></tool_response>.")
                .toString();
    }

    /** Returns an assistant message's text with its calls written into it. */
    static String calls(
            String content,
            List<ToolCall> calls,
            List<Map<String, @Nullable Object>> arguments,
            UnaryOperator<String> guard) {
        StringBuilder text = new StringBuilder(content);
        for (int i = 0; i < calls.size(); i++) {
            if (text.length() > 0) {
                text.append('\n');
            }
            Object name = guard.apply(calls.get(i).getName());
            text.append("<tool_call>\n{\"name\": ")
                    .append(JsonValues.write(name))
                    .append(", \"arguments\": ")
                    .append(JsonValues.write(arguments.get(i)))
                    .append("}\n</tool_call>");
        }
        return text.toString();
    }

    /** Returns a tool's result as it stands in a user message. */
    static String result(String content) {
        return "<tool_response>\n" + content + "\n</tool_response>";
    }
}
