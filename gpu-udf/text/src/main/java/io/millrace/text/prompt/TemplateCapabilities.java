package io.millrace.text.prompt;

import io.millrace.kv.ServingException;
import io.millrace.text.template.ChatTemplate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a chat template can render, found out by rendering probes with it.
 *
 * @param system whether it renders a system message as such
 * @param tools whether it renders the tools that are offered
 * @param toolCalls whether it renders an assistant's tool calls
 * @param toolResults whether it renders messages of the role {@code tool}
 * @param textArguments whether it wants the arguments of tool calls as JSON text rather than as an object
 * @param nullContent whether an assistant message with tool calls may have no content
 */
record TemplateCapabilities(
        boolean system,
        boolean tools,
        boolean toolCalls,
        boolean toolResults,
        boolean textArguments,
        boolean nullContent) {

    private static final String SYSTEM = "probe-system-text";
    private static final String TOOL = "probe_tool";
    private static final String VALUE = "probe-value";
    private static final String RESULT = "probe-result";
    private static final String USER = "probe-user-text";

    /** Returns whether the template can render all of a conversation with tools, save perhaps for results. */
    boolean nativeTools() {
        return tools && toolCalls;
    }

    /** Probes a template. */
    static TemplateCapabilities of(ChatTemplate template, String bosToken, String eosToken) {
        Probe probe = new Probe(template, bosToken, eosToken);
        List<Map<String, @Nullable Object>> withSystem = List.of(message("system", SYSTEM), message("user", USER));
        // Some templates refuse whatever they are given without tools.
        boolean system = probe.render(withSystem, null).contains(SYSTEM)
                || probe.render(withSystem, List.of(tool())).contains(SYSTEM);
        boolean tools =
                probe.render(List.of(message("user", USER)), List.of(tool())).contains(TOOL)
                        || probe.render(withSystem, List.of(tool())).contains(TOOL);
        Map<String, Object> object = Map.of("key", VALUE);
        boolean objects = rendersCall(probe.render(conversation("", object), List.of(tool())));
        boolean text = !objects
                && rendersCall(probe.render(conversation("", "{\"key\": \"" + VALUE + "\"}"), List.of(tool())));
        Object arguments = text ? "{\"key\": \"" + VALUE + "\"}" : object;
        String withResult = probe.render(conversation("", arguments), List.of(tool()));
        String withNull = probe.render(conversation(null, arguments), List.of(tool()));
        boolean nullContent = rendersCall(withNull)
                && !withNull.contains("None")
                && withNull.contains(RESULT) == withResult.contains(RESULT);
        boolean toolCalls = objects || text;
        // A template that writes whatever role it is given has not been made for results.
        boolean toolResults = tools && toolCalls && withResult.contains(RESULT);
        return new TemplateCapabilities(system, tools, toolCalls, toolResults, text, nullContent);
    }

    private static boolean rendersCall(String text) {
        return text.contains(VALUE);
    }

    private static Map<String, @Nullable Object> message(String role, @Nullable String content) {
        Map<String, @Nullable Object> message = new LinkedHashMap<>();
        message.put("role", role);
        message.put("content", content);
        return message;
    }

    private static List<Map<String, @Nullable Object>> conversation(@Nullable String content, Object arguments) {
        Map<String, @Nullable Object> assistant = message("assistant", content);
        assistant.put(
                "tool_calls",
                List.of(Map.of(
                        "id", "probe0001",
                        "type", "function",
                        "function", Map.of("name", TOOL, "arguments", arguments))));
        Map<String, @Nullable Object> result = message("tool", RESULT);
        result.put("tool_call_id", "probe0001");
        result.put("name", TOOL);
        List<Map<String, @Nullable Object>> messages = new ArrayList<>();
        messages.add(message("user", USER));
        messages.add(assistant);
        messages.add(result);
        return messages;
    }

    private static Map<String, Object> tool() {
        return Map.of(
                "type",
                "function",
                "function",
                Map.of(
                        "name",
                        TOOL,
                        "description",
                        "a probe",
                        "parameters",
                        Map.of(
                                "type", "object",
                                "properties", Map.of("key", Map.of("type", "string", "description", "a key")),
                                "required", List.of("key"))));
    }

    /** Renders probes; what the template refuses renders as nothing. */
    private record Probe(ChatTemplate template, String bosToken, String eosToken) {
        String render(List<Map<String, @Nullable Object>> messages, @Nullable List<Map<String, Object>> tools) {
            Map<String, @Nullable Object> variables = new HashMap<>();
            variables.put("messages", messages);
            variables.put("tools", tools);
            variables.put("documents", null);
            variables.put("add_generation_prompt", true);
            variables.put("bos_token", bosToken);
            variables.put("eos_token", eosToken);
            try {
                return template.render(variables);
            } catch (ServingException e) {
                return "";
            }
        }
    }
}
