package io.millrace.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.SpeculationHints;
import io.millrace.proto.SpeculationHints.Drafter;
import java.util.List;

/** Reads how a request wants several tokens a step attempted. Its answer is the same either way. */
final class SpeculationParser {
    static final int MAX_DRAFT_TOKENS = 64;

    private static final String FIELD = "speculation";

    private SpeculationParser() {}

    static void parse(JsonFields fields, ChatRequest.Builder chat) {
        JsonFields speculation = fields.object(FIELD);
        if (speculation == null) {
            return;
        }
        SpeculationHints.Builder hints = SpeculationHints.newBuilder();
        hints.setOff(!speculation.bool("enabled", true));
        List<JsonNode> drafters = speculation.array("drafters", 8);
        for (int i = 0; i < drafters.size(); i++) {
            hints.addDrafters(drafter(drafters.get(i), speculation.path("drafters") + "[" + i + "]"));
        }
        hints.setMaxDraftTokens((int) speculation.integer("max_draft_tokens", 1, MAX_DRAFT_TOKENS, 0));
        chat.setSpeculation(hints);
    }

    private static Drafter drafter(JsonNode name, String path) {
        return switch (name.isTextual() ? name.textValue() : "") {
            case "constraint" -> Drafter.CONSTRAINT;
            case "prompt_lookup" -> Drafter.PROMPT_LOOKUP;
            case "draft_model" -> Drafter.DRAFT_MODEL;
            default -> throw JsonFields.wrong(path, "must be 'constraint', 'prompt_lookup' or 'draft_model'", name);
        };
    }
}
