package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.grammar.EbnfParser;
import io.millrace.grammar.Grammar;
import io.millrace.grammar.GrammarLimits;
import io.millrace.grammar.GrammarSource;
import io.millrace.grammar.RegexParser;
import io.millrace.grammar.json.JsonSchemaCompiler;
import io.millrace.grammar.json.SchemaLimits;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.OutputConstraint;
import io.millrace.proto.Tool;
import io.millrace.proto.ToolChoice;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Refuses forms of the output that are not supported, with the path of what is not. The job would refuse them too, but
 * here it costs no place in it. What has passed lately passes at once: agents send their tools with every turn. Takes
 * up to a second for what is made to take long, so no event loop does it. Safe for use by several threads.
 */
final class ConstraintCheck {
    private static final int PASSED_MAX = 1_024;

    private final JsonBody json;
    private final Map<String, Boolean> passed = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > PASSED_MAX;
        }
    };

    ConstraintCheck(JsonBody json) {
        this.json = requireNonNull(json, "json");
    }

    /** Whether a request has anything to check. */
    static boolean isDue(ChatRequest chat) {
        return chat.hasOutputConstraint()
                || chat.getToolsList().stream()
                        .anyMatch(tool -> tool.getDefinitionJson().contains("\"strict\""));
    }

    /**
     * Checks a request.
     *
     * @throws ServingException {@code INVALID_REQUEST} with the path of what is not supported
     */
    void check(ChatRequest chat) {
        if (chat.hasOutputConstraint() && chat.getToolChoice().getMode() != ToolChoice.Mode.REQUIRED) {
            check(chat.getOutputConstraint());
        }
        List<Tool> tools = chat.getToolsList();
        for (int i = 0; i < tools.size(); i++) {
            String path = "tools[" + i + "]";
            JsonNode function =
                    json.parseText(tools.get(i).getDefinitionJson(), path).path("function");
            if (function.path("strict").asBoolean(false) && function.get("parameters") instanceof ObjectNode schema) {
                checkSchema(schema, path + ".function.parameters");
            }
        }
    }

    private void check(OutputConstraint constraint) {
        String path = constraint.getParam();
        switch (constraint.getKindCase()) {
            case JSON_SCHEMA -> checkSchema(json.parseText(constraint.getJsonSchema(), path), path);
            case REGEX ->
                checkOnce(
                        "regex",
                        constraint.getRegex(),
                        path,
                        () -> GrammarSource.of(RegexParser.parse(
                                constraint.getRegex(), RegexParser.Extent.WHOLE, GrammarLimits.DEFAULT)));
            case EBNF ->
                checkOnce(
                        "ebnf",
                        constraint.getEbnf(),
                        path,
                        () -> EbnfParser.parse(constraint.getEbnf(), GrammarLimits.DEFAULT));
            case JSON_OBJECT, CHOICE, KIND_NOT_SET -> {}
        }
    }

    private void checkSchema(JsonNode schema, String path) {
        checkOnce(
                "schema",
                json.write(schema),
                path,
                () -> JsonSchemaCompiler.compile(schema, SchemaLimits.DEFAULT, path));
    }

    private void checkOnce(String kind, String text, String path, Supplier<GrammarSource> grammar) {
        String key = ContentHash.of(kind, text);
        synchronized (passed) {
            if (passed.get(key) != null) {
                return;
            }
        }
        try {
            Grammar.compile(grammar.get(), GrammarLimits.DEFAULT);
        } catch (ServingException e) {
            throw withParam(e, path);
        }
        synchronized (passed) {
            passed.put(key, true);
        }
    }

    /** A refusal that names the field at fault, if it did not. */
    private static ServingException withParam(ServingException e, String path) {
        return e.param() != null
                ? e
                : new ServingException(ErrorCode.INVALID_REQUEST, path + ": " + e.getMessage(), path, e);
    }
}
