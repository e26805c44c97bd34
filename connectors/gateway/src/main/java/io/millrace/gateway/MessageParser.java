package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.ToolCall;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the messages of a request. */
final class MessageParser {
    static final int MAX_PARTS = 1_024;
    static final int MAX_TOOL_CALLS = 256;

    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant", "tool");

    private final JsonBody json;
    private final int maxMessages;

    MessageParser(JsonBody json, int maxMessages) {
        this.json = requireNonNull(json, "json");
        this.maxMessages = maxMessages;
    }

    void parse(JsonFields fields, ChatRequest.Builder chat) {
        if (!fields.has("messages")) {
            throw fields.refuseField("messages", "is required");
        }
        List<JsonNode> messages = fields.array("messages", maxMessages);
        if (messages.isEmpty()) {
            throw fields.refuseField("messages", "must not be empty");
        }
        for (int i = 0; i < messages.size(); i++) {
            chat.addMessages(message(JsonFields.of(messages.get(i), "messages[" + i + "]")));
        }
    }

    private ChatMessage message(JsonFields fields) {
        String role = fields.requiredString("role");
        if (!ROLES.contains(role)) {
            throw JsonFields.wrong(
                    fields.path("role"), "must be system, developer, user, assistant or tool", fields.get("role"));
        }
        ChatMessage.Builder message = ChatMessage.newBuilder().setRole(role);
        String content = content(fields);
        if (content != null) {
            message.setContent(content);
        }
        if (role.equals("assistant")) {
            assistant(fields, message);
        } else if (fields.has("tool_calls")) {
            throw fields.refuseField("tool_calls", "may only be in an assistant message");
        }
        if (content == null && message.getToolCallsCount() == 0) {
            throw fields.refuseField(
                    "content", "is required" + (role.equals("assistant") ? " where there are no tool_calls" : ""));
        }
        if (role.equals("tool")) {
            message.setToolCallId(id(fields, "tool_call_id"));
        }
        String name = fields.string("name");
        if (name != null) {
            message.setName(limited(fields, "name", name));
        }
        return message.build();
    }

    private void assistant(JsonFields fields, ChatMessage.Builder message) {
        List<JsonNode> calls = fields.array("tool_calls", MAX_TOOL_CALLS);
        for (int i = 0; i < calls.size(); i++) {
            message.addToolCalls(toolCall(JsonFields.of(calls.get(i), fields.path("tool_calls[" + i + "]"))));
        }
        String reasoning = fields.string("reasoning_content");
        if (reasoning != null) {
            message.setReasoningContent(reasoning);
        }
    }

    private ToolCall toolCall(JsonFields fields) {
        String type = fields.string("type");
        if (type != null && !type.equals("function")) {
            throw JsonFields.wrong(fields.path("type"), "must be 'function'", fields.get("type"));
        }
        JsonFields function = fields.object("function");
        if (function == null) {
            throw fields.refuseField("function", "is required");
        }
        String arguments = function.requiredString("arguments");
        return ToolCall.newBuilder()
                .setId(id(fields, "id"))
                .setName(limited(function, "name", function.requiredString("name")))
                .setArgumentsJson(arguments(function, arguments))
                .build();
    }

    // Some clients send an empty text for a call without arguments. The text is passed on as it came, not as we would
    // write it: it is what the model wrote, and so what the cache holds.
    private String arguments(JsonFields function, String arguments) {
        if (arguments.isBlank()) {
            return "{}";
        }
        JsonNode parsed = json.parseText(arguments, function.path("arguments"));
        if (!parsed.isObject()) {
            throw JsonFields.wrong(function.path("arguments"), "must be the JSON text of an object", parsed);
        }
        return arguments;
    }

    private static String id(JsonFields fields, String name) {
        return limited(fields, name, fields.requiredString(name));
    }

    private static String limited(JsonFields fields, String name, String value) {
        if (value.isEmpty() || value.length() > ChatRequestParser.MAX_ID_CHARS) {
            throw fields.refuseField(name, "must have 1 to " + ChatRequestParser.MAX_ID_CHARS + " characters");
        }
        return value;
    }

    private static @Nullable String content(JsonFields fields) {
        JsonNode content = fields.get("content");
        if (content == null) {
            return null;
        }
        if (content.isTextual()) {
            return content.textValue();
        }
        if (!content.isArray()) {
            throw JsonFields.wrong(fields.path("content"), "must be a string or an array of text parts", content);
        }
        List<JsonNode> parts = fields.array("content", MAX_PARTS);
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
            JsonFields part = JsonFields.of(parts.get(i), fields.path("content[" + i + "]"));
            String type = part.requiredString("type");
            if (!type.equals("text")) {
                throw JsonFields.wrong(
                        part.path("type"), "must be 'text': no other parts are supported", part.get("type"));
            }
            if (i > 0) {
                text.append('\n');
            }
            text.append(part.requiredString("text"));
        }
        return text.toString();
    }
}
