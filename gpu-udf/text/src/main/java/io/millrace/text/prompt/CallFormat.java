package io.millrace.text.prompt;

import io.millrace.text.output.OutputFormat.ToolCallSyntax;

/**
 * How a model's family begins a tool call.
 *
 * @param syntax how its calls are read
 * @param prefix what stands before the call's name, up to its opening quote
 * @param argumentsKey the key that the arguments stand under
 */
record CallFormat(ToolCallSyntax syntax, String prefix, String argumentsKey) {
    private static final CallFormat HERMES =
            new CallFormat(ToolCallSyntax.HERMES, "<tool_call>\n{\"name\": \"", "arguments");

    /** Returns the format of the calls that a template renders. */
    static CallFormat of(String template, TemplateCapabilities capabilities) {
        if (!capabilities.nativeTools()) {
            return HERMES;
        }
        if (template.contains("[TOOL_CALLS]")) {
            String space = template.contains("[TOOL_CALLS] [") ? " " : "";
            return new CallFormat(ToolCallSyntax.MISTRAL, "[TOOL_CALLS]" + space + "[{\"name\": \"", "arguments");
        }
        // Some newer families put XML into the same tags, which is no format we read.
        if (template.contains("<tool_call>") && !template.contains("<function=")) {
            return HERMES;
        }
        if (template.contains("\"parameters\": ") || template.contains("<|python_tag|>")) {
            return new CallFormat(ToolCallSyntax.LLAMA3_JSON, "{\"name\": \"", "parameters");
        }
        return new CallFormat(ToolCallSyntax.PLAIN, "", "");
    }

    /** Returns what begins a call of any tool. */
    String anyCall() {
        return prefix;
    }

    /**
     * Returns what begins a call of one tool, up to where its arguments begin. The space before them is left to the
     * model: its tokens begin with their space, and after a lone one it seldom goes on as it was trained to.
     */
    String callOf(String name) {
        String quoted = JsonValues.write(name);
        return prefix + quoted.substring(1) + ", \"" + argumentsKey + "\":";
    }
}
