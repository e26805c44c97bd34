package io.millrace.bench.speculation;

import static java.util.Objects.requireNonNull;

import io.millrace.operators.ModelText;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.OutputConstraint;
import io.millrace.proto.Tool;
import io.millrace.proto.ToolChoice;
import io.millrace.proto.Turn;

/** Requests as the router makes turns of them. */
final class ModelTasks {
    private final ModelText text;

    ModelTasks(ModelText text) {
        this.text = requireNonNull(text, "text");
    }

    /** A call of one tool, which the request names. */
    DraftingEngine.Task call(Schemas.Tool tool, int maxTokens) {
        String definition = "{\"type\": \"function\", \"function\": {\"name\": \"" + tool.name()
                + "\", \"strict\": true, \"parameters\": " + tool.parameters() + "}}";
        return task(
                chat(tool.question())
                        .addTools(Tool.newBuilder().setName(tool.name()).setDefinitionJson(definition))
                        .setToolChoice(ToolChoice.newBuilder()
                                .setMode(ToolChoice.Mode.NAMED)
                                .setName(tool.name()))
                        .build(),
                maxTokens);
    }

    /** An answer of any text whose characters a constraint looks at all the same. */
    DraftingEngine.Task text(String question, int maxTokens) {
        return task(
                chat(question)
                        .setOutputConstraint(OutputConstraint.newBuilder().setRegex("[^~]*"))
                        .build(),
                maxTokens);
    }

    /** An answer that a schema describes. */
    DraftingEngine.Task json(String schema) {
        return task(
                chat("Answer in JSON.")
                        .setOutputConstraint(OutputConstraint.newBuilder().setJsonSchema(schema))
                        .build(),
                1);
    }

    private static ChatRequest.Builder chat(String question) {
        return ChatRequest.newBuilder()
                .addMessages(ChatMessage.newBuilder().setRole("user").setContent(question));
    }

    private DraftingEngine.Task task(ChatRequest chat, int maxTokens) {
        ModelText.Prompt prompt = text.prompt(chat, null);
        Turn turn = Turn.newBuilder()
                .setOutputFormat(prompt.outputFormat())
                .addAllToolNames(prompt.toolNames())
                .setForcedPrefix(prompt.forcedPrefix())
                .setOutputRules(prompt.outputRules())
                .build();
        return new DraftingEngine.Task(
                prompt.tokenIds(), maxTokens, requireNonNull(text.constraint(turn), "constraint"));
    }
}
