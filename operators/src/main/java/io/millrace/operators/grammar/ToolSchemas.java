package io.millrace.operators.grammar;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.grammar.GrammarSource;
import io.millrace.grammar.json.JsonSchemaCompiler;
import io.millrace.grammar.json.SchemaLimits;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.Tool;
import io.millrace.proto.ToolRule;
import org.jspecify.annotations.Nullable;

/** Reads what calls a tool allows from its definition. */
final class ToolSchemas {
    static final ObjectMapper MAPPER = new ObjectMapper();

    private ToolSchemas() {}

    /** Whether a tool's maker wants its calls held to its schema. */
    static boolean isStrict(Tool tool) {
        return function(tool).path("strict").asBoolean(false);
    }

    /**
     * The calls that a tool allows: those that fit its schema. Where that turns out not to be supported and the tool is
     * not strict, those with any object.
     *
     * @param index the tool's index in the request
     * @throws ServingException {@code INVALID_REQUEST} if the schema is none of an object, and the tool is strict
     */
    static ToolRule rule(Tool tool, int index) {
        JsonNode parameters = function(tool).get("parameters");
        String path = "tools[" + index + "].function.parameters";
        ToolRule.Builder rule = anyCall(tool, path).toBuilder();
        if (parameters == null || parameters.isNull()) {
            return rule.build();
        }
        boolean strict = isStrict(tool);
        if (!isObjectSchema(parameters)) {
            if (strict) {
                throw new ServingException(
                        ErrorCode.INVALID_REQUEST, path + " must be the schema of an object", path + ".type", null);
            }
            return rule.build();
        }
        return rule.setParametersJson(objectSchema(parameters).toString())
                .setLenient(!strict)
                .build();
    }

    /** Calls with any object. */
    static ToolRule anyCall(Tool tool, int index) {
        return anyCall(tool, "tools[" + index + "].function.parameters");
    }

    private static ToolRule anyCall(Tool tool, String path) {
        return ToolRule.newBuilder().setName(tool.getName()).setParam(path).build();
    }

    /** The grammar of a schema. */
    static GrammarSource arguments(String schemaJson, String path) {
        return JsonSchemaCompiler.compile(tree(schemaJson, path), SchemaLimits.DEFAULT, path);
    }

    private static boolean isObjectSchema(JsonNode schema) {
        JsonNode type = schema.get("type");
        return schema instanceof ObjectNode && (type == null || type.asText().equals("object"));
    }

    /** Arguments are an object, whether their schema says so or not. */
    private static JsonNode objectSchema(JsonNode schema) {
        boolean open = schema instanceof ObjectNode object && !object.has("type") && !object.has("$ref");
        return open ? ((ObjectNode) schema.deepCopy()).put("type", "object") : schema;
    }

    private static JsonNode function(Tool tool) {
        return tree(tool.getDefinitionJson(), "tools").path("function");
    }

    static JsonNode tree(String json, @Nullable String param) {
        try {
            return MAPPER.readTree(json);
        } catch (JsonProcessingException e) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST, param + " is not valid JSON: " + e.getOriginalMessage(), param, e);
        }
    }
}
