package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.SamplingParams;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the body of {@code /v1/chat/completions}. Unknown fields are ignored, as other servers of this interface do;
 * known ones that ask for what is not served are refused, so that nobody gets less than they asked for unnoticed.
 */
final class ChatRequestParser {
    static final int MAX_ID_CHARS = 256;

    private static final int MAX_EXTRA_FIELDS = 32;

    private final List<String> modelNames;
    private final JsonBody json;
    private final MessageParser messages;
    private final ToolParser tools;
    private final ConstraintParser constraints;

    ChatRequestParser(List<String> modelNames, JsonBody json, int maxMessages) {
        this.modelNames = List.copyOf(modelNames);
        this.json = requireNonNull(json, "json");
        this.messages = new MessageParser(json, maxMessages);
        this.tools = new ToolParser(json);
        this.constraints = new ConstraintParser(json);
    }

    /**
     * Reads a body.
     *
     * @throws ServingException {@code INVALID_REQUEST} with the path of the field at fault, or {@code MODEL_NOT_FOUND}
     */
    ParsedChat parse(ObjectNode body) {
        JsonFields fields = new JsonFields(body, "");
        String model = model(fields);
        refuseUnserved(fields);
        ChatRequest.Builder chat = ChatRequest.newBuilder();
        messages.parse(fields, chat);
        tools.parse(fields, chat);
        constraints.parse(fields, chat);
        SpeculationParser.parse(fields, chat);
        boolean singleToolCall = !fields.bool("parallel_tool_calls", true);
        chat.setSingleToolCall(singleToolCall);
        SamplingParams.Builder sampling = SamplingParser.parse(fields);
        chat.setSampling(sampling);
        JsonFields variables = fields.object("chat_template_kwargs");
        if (variables != null) {
            chat.setTemplateVariablesJson(json.write(variables.node()));
        }
        JsonFields hints = fields.object("nvext");
        Set<String> extraFields = Set.of();
        String cacheSalt = id(fields, "cache_salt");
        if (hints != null) {
            chat.setPriority(priority(hints));
            extraFields = extraFields(hints);
            String hintedSalt = id(hints, "cache_salt");
            cacheSalt = hintedSalt == null ? cacheSalt : hintedSalt;
        }
        JsonFields streamOptions = fields.object("stream_options");
        return new ParsedChat(
                model,
                chat.build(),
                fields.has("seed"),
                fields.bool("stream", false),
                streamOptions != null && streamOptions.bool("include_usage", false),
                singleToolCall,
                fields.string("prompt_cache_key"),
                user(fields),
                cacheSalt,
                extraFields);
    }

    private String model(JsonFields fields) {
        String model = fields.string("model");
        if (model == null) {
            return modelNames.get(0);
        }
        checkModel(model);
        return model;
    }

    /** Refuses a model that is not served. */
    void checkModel(String model) {
        if (!modelNames.contains(model)) {
            String shown = model.length() <= MAX_ID_CHARS ? model : model.substring(0, MAX_ID_CHARS) + "…";
            throw new ServingException(
                    ErrorCode.MODEL_NOT_FOUND,
                    "the model '" + shown + "' is not served here; served: " + String.join(", ", modelNames),
                    "model",
                    null);
        }
    }

    private static void refuseUnserved(JsonFields fields) {
        if (fields.integer("n", 1, Integer.MAX_VALUE, 1) != 1) {
            throw fields.refuseField("n", "must be 1: one answer a request is served");
        }
        if (fields.bool("logprobs", false)) {
            throw fields.refuseField("logprobs", "is not supported");
        }
        if (fields.integer("top_logprobs", 0, 20, 0) != 0) {
            throw fields.refuseField("top_logprobs", "is not supported");
        }
        List<JsonNode> modalities = fields.array("modalities", 8);
        for (JsonNode modality : modalities) {
            if (!modality.isTextual() || !modality.textValue().equals("text")) {
                throw JsonFields.wrong("modalities", "may only hold 'text'", modality);
            }
        }
        for (String name : List.of("functions", "function_call")) {
            if (fields.has(name)) {
                throw fields.refuseField(name, "is not supported: use tools and tool_choice");
            }
        }
        if (fields.has("audio")) {
            throw fields.refuseField("audio", "is not supported");
        }
    }

    private static int priority(JsonFields hints) {
        JsonFields agentHints = hints.object("agent_hints");
        if (agentHints == null) {
            return 0;
        }
        return (int) Math.max(0, agentHints.integer("priority", Integer.MIN_VALUE, Integer.MAX_VALUE, 0));
    }

    private static Set<String> extraFields(JsonFields hints) {
        Set<String> names = new HashSet<>();
        for (JsonNode name : hints.array("extra_fields", MAX_EXTRA_FIELDS)) {
            if (!name.isTextual()) {
                throw JsonFields.wrong("nvext.extra_fields", "must be an array of strings", name);
            }
            names.add(name.textValue());
        }
        return names;
    }

    private static @Nullable String id(JsonFields fields, String name) {
        String value = fields.string(name);
        if (value != null && (value.isEmpty() || value.length() > MAX_ID_CHARS)) {
            throw fields.refuseField(name, "must have 1 to " + MAX_ID_CHARS + " characters");
        }
        return value;
    }

    private static @Nullable String user(JsonFields fields) {
        String user = fields.string("user");
        if (user != null) {
            return user;
        }
        JsonNode metadata = fields.get("metadata");
        JsonNode userId = metadata == null ? null : metadata.get("user_id");
        return userId != null && userId.isTextual() ? userId.textValue() : null;
    }
}
