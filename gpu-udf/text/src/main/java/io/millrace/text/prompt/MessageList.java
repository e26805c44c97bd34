package io.millrace.text.prompt;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ToolCall;
import io.millrace.text.output.ToolCallIds;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** The messages of one request, as a template can render them. */
final class MessageList {
    private static final String THINK = "<think>";
    private static final String THINK_END = "</think>";

    private final String template;
    private final TemplateCapabilities capabilities;
    private final UnaryOperator<String> guard;
    private final List<Map<String, @Nullable Object>> messages = new ArrayList<>();

    /** Whether the last message is one that we made of tool results. */
    private boolean lastIsResults;

    MessageList(String template, TemplateCapabilities capabilities, UnaryOperator<String> guard) {
        this.template = template;
        this.capabilities = capabilities;
        this.guard = guard;
    }

    /** Takes the request's messages. */
    void addAll(List<ChatMessage> given) {
        if (given.isEmpty()) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, "messages must not be empty", "messages", null);
        }
        for (int i = 0; i < given.size(); i++) {
            add(given.get(i), "messages[" + i + "]");
        }
    }

    /** Adds a paragraph to the system message, or makes one. */
    void addToSystem(String text) {
        if (!messages.isEmpty() && "system".equals(messages.get(0).get("role"))) {
            Map<String, @Nullable Object> system = messages.get(0);
            Object content = system.get("content");
            boolean empty = content == null || content.equals("");
            system.put("content", empty ? text : content + "\n\n" + text);
        } else {
            messages.add(0, message("system", text));
        }
    }

    /** Returns the messages for the template. */
    List<Map<String, @Nullable Object>> rendered() {
        return capabilities.system() ? messages : withoutSystem();
    }

    private void add(ChatMessage given, String param) {
        String content = given.hasContent() ? guard.apply(given.getContent()) : null;
        switch (given.getRole()) {
            case "system", "developer" -> addPlain("system", content, given);
            case "user" -> addPlain("user", content, given);
            case "assistant" -> addAssistant(given, param);
            case "tool" -> addResult(content, given);
            default ->
                throw new ServingException(
                        ErrorCode.INVALID_REQUEST,
                        param + ".role must be system, developer, user, assistant or tool, not '" + given.getRole()
                                + "'",
                        param + ".role",
                        null);
        }
        lastIsResults = given.getRole().equals("tool") && !capabilities.toolResults();
    }

    private void addPlain(String role, @Nullable String content, ChatMessage given) {
        String text = content == null ? "" : content;
        if (lastIsResults && role.equals("user")) {
            // Templates that know no tools often insist that roles alternate.
            append(messages.get(messages.size() - 1), "\n\n" + text);
            return;
        }
        messages.add(named(message(role, text), given));
    }

    private void addResult(@Nullable String content, ChatMessage given) {
        String text = content == null ? "" : content;
        if (capabilities.toolResults()) {
            Map<String, @Nullable Object> message = named(message("tool", text), given);
            message.put("tool_call_id", id(given.getToolCallId()));
            messages.add(message);
        } else if (lastIsResults) {
            append(messages.get(messages.size() - 1), "\n" + ToolPrompt.result(text));
        } else {
            messages.add(message("user", ToolPrompt.result(text)));
        }
    }

    private void addAssistant(ChatMessage given, String param) {
        String content = given.getContent();
        String reasoning = given.hasReasoningContent() ? given.getReasoningContent() : null;
        if (reasoning == null && content.contains(THINK_END) && template.contains(THINK_END)) {
            // The template would do this itself, were the markers not guarded as the client's text.
            int end = content.lastIndexOf(THINK_END);
            reasoning = reasoning(content.substring(0, content.indexOf(THINK_END)));
            content = stripNewlines(content.substring(end + THINK_END.length()), true, false);
        }
        List<Map<String, @Nullable Object>> arguments = arguments(given, param);
        boolean callsAsText = !arguments.isEmpty() && !capabilities.nativeTools();
        String guarded = guard.apply(content);
        if (callsAsText) {
            guarded = ToolPrompt.calls(guarded, given.getToolCallsList(), arguments, guard);
        }
        boolean absent = !given.hasContent() && !arguments.isEmpty() && !callsAsText && capabilities.nullContent();
        Map<String, @Nullable Object> message = named(message("assistant", absent ? null : guarded), given);
        if (!arguments.isEmpty() && !callsAsText) {
            message.put("tool_calls", toolCalls(given, arguments));
        }
        if (reasoning != null) {
            String text = guard.apply(reasoning);
            message.put("reasoning_content", text);
            message.put("thinking", text);
        }
        messages.add(message);
    }

    private static String reasoning(String beforeEnd) {
        String text = stripNewlines(beforeEnd, false, true);
        int begin = text.lastIndexOf(THINK);
        return stripNewlines(begin < 0 ? text : text.substring(begin + THINK.length()), true, false);
    }

    private static String stripNewlines(String text, boolean leading, boolean trailing) {
        int begin = 0;
        int end = text.length();
        while (leading && begin < end && text.charAt(begin) == '\n') {
            begin++;
        }
        while (trailing && end > begin && text.charAt(end - 1) == '\n') {
            end--;
        }
        return text.substring(begin, end);
    }

    private List<Map<String, @Nullable Object>> arguments(ChatMessage given, String param) {
        List<Map<String, @Nullable Object>> arguments = new ArrayList<>();
        for (int i = 0; i < given.getToolCallsCount(); i++) {
            String json = given.getToolCalls(i).getArgumentsJson();
            String field = param + ".tool_calls[" + i + "].function.arguments";
            Map<String, @Nullable Object> object = JsonValues.object(json.isBlank() ? "{}" : json, field);
            Map<String, @Nullable Object> guarded = new LinkedHashMap<>();
            object.forEach((key, value) -> guarded.put(guard.apply(key), JsonValues.guarded(value, guard)));
            arguments.add(guarded);
        }
        return arguments;
    }

    private List<Object> toolCalls(ChatMessage given, List<Map<String, @Nullable Object>> arguments) {
        List<Object> calls = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            ToolCall call = given.getToolCalls(i);
            Map<String, Object> function = new LinkedHashMap<>();
            function.put("name", guard.apply(call.getName()));
            function.put(
                    "arguments", capabilities.textArguments() ? JsonValues.write(arguments.get(i)) : arguments.get(i));
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("type", "function");
            entry.put("id", id(call.getId()));
            entry.put("function", function);
            calls.add(entry);
        }
        return calls;
    }

    /** Returns a call's id as the template wants it: Mistral's refuse any that does not have nine characters. */
    private String id(String id) {
        boolean wantsNine = template.contains("length != 9") || template.contains("length < 9");
        return wantsNine ? ToolCallIds.shortened(id) : guard.apply(id);
    }

    private Map<String, @Nullable Object> named(Map<String, @Nullable Object> message, ChatMessage given) {
        if (!given.getName().isEmpty()) {
            message.put("name", guard.apply(given.getName()));
        }
        return message;
    }

    private static Map<String, @Nullable Object> message(String role, @Nullable String content) {
        Map<String, @Nullable Object> message = new LinkedHashMap<>();
        message.put("role", role);
        message.put("content", content);
        return message;
    }

    private static void append(Map<String, @Nullable Object> message, String text) {
        message.put("content", message.get("content") + text);
    }

    /** Puts each system message into the user message that follows it. */
    private List<Map<String, @Nullable Object>> withoutSystem() {
        List<Map<String, @Nullable Object>> result = new ArrayList<>();
        StringBuilder waiting = new StringBuilder();
        for (Map<String, @Nullable Object> message : messages) {
            if ("system".equals(message.get("role"))) {
                waiting.append(message.get("content")).append("\n\n");
                continue;
            }
            if (waiting.length() > 0 && "user".equals(message.get("role"))) {
                Map<String, @Nullable Object> merged = new LinkedHashMap<>(message);
                merged.put("content", waiting.toString() + message.get("content"));
                waiting.setLength(0);
                result.add(merged);
            } else {
                result.add(message);
            }
        }
        if (waiting.length() > 0) {
            result.add(message("user", waiting.toString().strip()));
        }
        return result;
    }
}
