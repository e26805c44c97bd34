package io.millrace.operators.grammar;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.OutputRules;
import io.millrace.proto.Tool;
import io.millrace.proto.ToolChoice;
import io.millrace.text.output.OutputFormat;
import io.millrace.text.output.OutputFormat.ToolCallSyntax;
import java.util.List;

/** Finds what a request demands of its turn's output. */
public final class OutputDemands {
    private OutputDemands() {}

    /**
     * The rules for a request's output; the default instance where it demands nothing.
     *
     * @param format how the output will be read
     * @throws ServingException {@code INVALID_REQUEST} with the path of what cannot be kept to
     */
    public static OutputRules of(ChatRequest chat, OutputFormat format) {
        ToolChoice.Mode mode = chat.getToolChoice().getMode();
        boolean offersTools = chat.getToolsCount() > 0 && mode != ToolChoice.Mode.NONE;
        if (offersTools && (mode == ToolChoice.Mode.REQUIRED || mode == ToolChoice.Mode.NAMED)) {
            return calls(chat);
        }
        boolean strict = offersTools && chat.getToolsList().stream().anyMatch(ToolSchemas::isStrict);
        OutputRules.Builder rules = OutputRules.newBuilder();
        if (chat.hasOutputConstraint()) {
            rules.setContent(chat.getOutputConstraint());
        }
        if (offersTools && (strict || chat.hasOutputConstraint())) {
            boolean callable = format.toolCalls() != ToolCallSyntax.PLAIN;
            if (strict && !callable) {
                throw new ServingException(
                        ErrorCode.INVALID_REQUEST,
                        "a tool is strict, but the model's tool calls have no format that can be held to",
                        "tools",
                        null);
            }
            if (callable) {
                offer(chat, rules);
            }
        }
        return rules.build();
    }

    private static OutputRules calls(ChatRequest chat) {
        boolean named = chat.getToolChoice().getMode() == ToolChoice.Mode.NAMED;
        List<Tool> tools = chat.getToolsList();
        OutputRules.Builder rules =
                OutputRules.newBuilder().setMustCall(true).setSingleCall(named || chat.getSingleToolCall());
        for (int i = 0; i < tools.size(); i++) {
            if (!named || tools.get(i).getName().equals(chat.getToolChoice().getName())) {
                rules.addTools(ToolSchemas.rule(tools.get(i), i));
            }
        }
        if (rules.getToolsCount() == 1) {
            rules.setForcedTool(rules.getTools(0).getName());
        }
        return rules.build();
    }

    private static void offer(ChatRequest chat, OutputRules.Builder rules) {
        List<Tool> tools = chat.getToolsList();
        rules.setSingleCall(chat.getSingleToolCall());
        for (int i = 0; i < tools.size(); i++) {
            Tool tool = tools.get(i);
            rules.addTools(ToolSchemas.isStrict(tool) ? ToolSchemas.rule(tool, i) : ToolSchemas.anyCall(tool, i));
        }
    }
}
