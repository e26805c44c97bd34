package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.Tool;
import io.millrace.proto.ToolChoice;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/** Reads the tools of a request and which of them the model may or must call. */
final class ToolParser {
    static final int MAX_TOOLS = 1_024;

    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_.:/-]{1,128}");

    private final JsonBody json;

    ToolParser(JsonBody json) {
        this.json = requireNonNull(json, "json");
    }

    void parse(JsonFields fields, ChatRequest.Builder chat) {
        List<JsonNode> tools = fields.array("tools", MAX_TOOLS);
        Set<String> names = new HashSet<>();
        for (int i = 0; i < tools.size(); i++) {
            JsonFields tool = JsonFields.of(tools.get(i), "tools[" + i + "]");
            String name = name(tool);
            if (!names.add(name)) {
                throw tool.refuseField("function.name", "'" + name + "' is used by another tool");
            }
            chat.addTools(Tool.newBuilder().setName(name).setDefinitionJson(json.write(tool.node())));
        }
        JsonNode choice = fields.get("tool_choice");
        if (choice != null) {
            chat.setToolChoice(choice(choice, names));
        }
    }

    private static String name(JsonFields tool) {
        if (!tool.requiredString("type").equals("function")) {
            throw JsonFields.wrong(tool.path("type"), "must be 'function'", tool.get("type"));
        }
        JsonFields function = tool.object("function");
        if (function == null) {
            throw tool.refuseField("function", "is required");
        }
        String name = function.requiredString("name");
        if (!NAME.matcher(name).matches()) {
            throw JsonFields.wrong(
                    function.path("name"), "must have 1 to 128 letters, digits or _.:/-", function.get("name"));
        }
        // Read for their types alone: the template gets the definition as it came.
        function.string("description");
        function.object("parameters");
        function.bool("strict", false);
        return name;
    }

    private static ToolChoice choice(JsonNode choice, Set<String> names) {
        ToolChoice.Builder result = ToolChoice.newBuilder();
        if (choice.isTextual()) {
            result.setMode(mode(choice));
        } else {
            JsonFields fields = JsonFields.of(choice, "tool_choice");
            if (!fields.requiredString("type").equals("function")) {
                throw JsonFields.wrong("tool_choice.type", "must be 'function'", fields.get("type"));
            }
            JsonFields function = fields.object("function");
            if (function == null) {
                throw fields.refuseField("function", "is required");
            }
            result.setMode(ToolChoice.Mode.NAMED).setName(function.requiredString("name"));
            if (!names.contains(result.getName())) {
                throw JsonFields.wrong(function.path("name"), "must name one of the tools", function.get("name"));
            }
        }
        if (result.getMode() == ToolChoice.Mode.REQUIRED && names.isEmpty()) {
            throw JsonFields.refuse("tool_choice", "is 'required', but there are no tools");
        }
        return result.build();
    }

    private static ToolChoice.Mode mode(JsonNode choice) {
        return switch (choice.textValue()) {
            case "auto" -> ToolChoice.Mode.AUTO;
            case "none" -> ToolChoice.Mode.NONE;
            case "required" -> ToolChoice.Mode.REQUIRED;
            default ->
                throw JsonFields.wrong(
                        "tool_choice", "must be 'auto', 'none', 'required' or an object that names a function", choice);
        };
    }
}
