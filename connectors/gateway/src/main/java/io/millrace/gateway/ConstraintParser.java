package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.proto.AnyJsonObject;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.ChoiceList;
import io.millrace.proto.OutputConstraint;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads what the answer's text must be: OpenAI's {@code response_format}, and vLLM's {@code structured_outputs} and
 * {@code guided_*}. A request may say so once.
 */
final class ConstraintParser {
    static final int MAX_CHOICES = 4_096;
    static final int MAX_CHOICE_CHARS = 4_096;
    static final int MAX_SCHEMA_NAME_CHARS = 64;

    private static final String FORMAT = "response_format";
    private static final String OUTPUTS = "structured_outputs";

    private final JsonBody json;

    ConstraintParser(JsonBody json) {
        this.json = requireNonNull(json, "json");
    }

    void parse(JsonFields fields, ChatRequest.Builder chat) {
        refuseUnserved(fields);
        Found found = new Found();
        found.add(responseFormat(fields));
        JsonFields outputs = fields.object(OUTPUTS);
        if (outputs != null) {
            refuseUnserved(outputs);
            found.add(schema(outputs, "json"));
            found.add(jsonObject(outputs, "json_object"));
            found.add(regex(outputs, "regex"));
            found.add(choice(outputs, "choice"));
            found.add(grammar(outputs, "grammar"));
        }
        found.add(schema(fields, "guided_json"));
        found.add(jsonObject(fields, "guided_json_object"));
        found.add(regex(fields, "guided_regex"));
        found.add(choice(fields, "guided_choice"));
        found.add(grammar(fields, "guided_grammar"));
        if (found.constraint != null) {
            chat.setOutputConstraint(found.constraint);
        }
    }

    /** The constraint of a request, of which there is one at most. */
    private static final class Found {
        private OutputConstraint.@Nullable Builder constraint;

        void add(OutputConstraint.@Nullable Builder next) {
            if (next == null) {
                return;
            }
            if (constraint != null) {
                throw JsonFields.refuse(
                        next.getParam(), "cannot be given beside " + constraint.getParam() + ", which is given");
            }
            constraint = next;
        }
    }

    private static void refuseUnserved(JsonFields fields) {
        for (String name : List.of(
                "structural_tag",
                "whitespace_pattern",
                "guided_whitespace_pattern",
                "disable_any_whitespace",
                "disable_additional_properties")) {
            JsonNode value = fields.get(name);
            if (value != null && !(value.isBoolean() && !value.booleanValue())) {
                throw fields.refuseField(name, "is not supported");
            }
        }
    }

    private OutputConstraint.@Nullable Builder responseFormat(JsonFields fields) {
        JsonFields format = fields.object(FORMAT);
        if (format == null) {
            return null;
        }
        String type = format.requiredString("type");
        switch (type) {
            case "text" -> {
                return null;
            }
            case "json_object" -> {
                return at(FORMAT).setJsonObject(AnyJsonObject.getDefaultInstance());
            }
            case "json_schema" -> {
                JsonFields described = format.object("json_schema");
                if (described == null) {
                    throw format.refuseField("json_schema", "is required");
                }
                checkName(described);
                described.string("description");
                // A schema is kept to whether or not it is said to be strict.
                described.bool("strict", false);
                OutputConstraint.Builder schema = schema(described, "schema");
                if (schema == null) {
                    throw described.refuseField("schema", "is required");
                }
                return schema;
            }
            default ->
                throw JsonFields.wrong(
                        format.path("type"), "must be 'text', 'json_object' or 'json_schema'", format.get("type"));
        }
    }

    private static void checkName(JsonFields described) {
        String name = described.string("name");
        if (name != null && (name.isEmpty() || name.length() > MAX_SCHEMA_NAME_CHARS)) {
            throw described.refuseField("name", "must have 1 to " + MAX_SCHEMA_NAME_CHARS + " characters");
        }
    }

    /** A schema as a JSON value, or as the text of one. */
    private OutputConstraint.@Nullable Builder schema(JsonFields fields, String name) {
        JsonNode value = fields.get(name);
        if (value == null) {
            return null;
        }
        JsonNode schema = value.isTextual() ? json.parseText(value.textValue(), fields.path(name)) : value;
        if (!(schema instanceof ObjectNode) && !schema.isBoolean()) {
            throw JsonFields.wrong(fields.path(name), "must be a JSON Schema", schema);
        }
        return at(fields.path(name)).setJsonSchema(json.write(schema));
    }

    private static OutputConstraint.@Nullable Builder jsonObject(JsonFields fields, String name) {
        return fields.bool(name, false)
                ? at(fields.path(name)).setJsonObject(AnyJsonObject.getDefaultInstance())
                : null;
    }

    private static OutputConstraint.@Nullable Builder regex(JsonFields fields, String name) {
        String regex = fields.string(name);
        return regex == null ? null : at(fields.path(name)).setRegex(nonEmpty(regex, fields, name));
    }

    private static OutputConstraint.@Nullable Builder grammar(JsonFields fields, String name) {
        String grammar = fields.string(name);
        return grammar == null ? null : at(fields.path(name)).setEbnf(nonEmpty(grammar, fields, name));
    }

    private static OutputConstraint.@Nullable Builder choice(JsonFields fields, String name) {
        if (!fields.has(name)) {
            return null;
        }
        List<JsonNode> choices = fields.array(name, MAX_CHOICES);
        if (choices.isEmpty()) {
            throw fields.refuseField(name, "must have at least one text");
        }
        ChoiceList.Builder texts = ChoiceList.newBuilder();
        for (int i = 0; i < choices.size(); i++) {
            JsonNode choice = choices.get(i);
            String path = fields.path(name) + "[" + i + "]";
            if (!choice.isTextual()) {
                throw JsonFields.wrong(path, "must be a string", choice);
            }
            String text = choice.textValue();
            if (text.isEmpty() || text.length() > MAX_CHOICE_CHARS) {
                throw JsonFields.refuse(path, "must have 1 to " + MAX_CHOICE_CHARS + " characters");
            }
            texts.addTexts(text);
        }
        return at(fields.path(name)).setChoice(texts);
    }

    private static String nonEmpty(String text, JsonFields fields, String name) {
        if (text.isEmpty()) {
            throw fields.refuseField(name, "must not be empty");
        }
        return text;
    }

    private static OutputConstraint.Builder at(String path) {
        return OutputConstraint.newBuilder().setParam(path);
    }
}
