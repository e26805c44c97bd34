package io.millrace.operators.grammar;

import static io.millrace.grammar.Expr.literal;
import static io.millrace.grammar.Expr.sequence;

import com.fasterxml.jackson.databind.node.TextNode;
import io.millrace.grammar.Expr;
import io.millrace.text.output.OutputFormat.ToolCallSyntax;

/**
 * What stands around the calls that a family of models writes, as the prompts of forced calls begin them too.
 *
 * @param trigger what no text before calls contains
 * @param open what stands before the first call's name, up to and with its opening quote
 * @param between what stands between a call and the next one's name
 * @param argumentsKey the key of the arguments
 * @param closeCall what stands behind a call's arguments
 * @param close what stands behind the last call
 */
record CallSyntax(String trigger, String open, String between, String argumentsKey, String closeCall, String close) {
    private static final String HEAD = "{\"name\": \"";

    static CallSyntax of(ToolCallSyntax syntax) {
        return switch (syntax) {
            case HERMES ->
                new CallSyntax(
                        "<tool_call>",
                        "<tool_call>\n" + HEAD,
                        "\n<tool_call>\n" + HEAD,
                        "arguments",
                        "}\n</tool_call>",
                        "");
            case LLAMA3_JSON -> new CallSyntax("<|python_tag|>", HEAD, "; " + HEAD, "parameters", "}", "");
            case MISTRAL -> new CallSyntax("[TOOL_CALLS]", "[TOOL_CALLS][" + HEAD, ", " + HEAD, "arguments", "}", "]");
            case PLAIN -> throw new IllegalArgumentException("calls without a format have no grammar");
        };
    }

    /** A call behind the opening quote of its name. */
    Expr behindQuote(String name, Expr arguments) {
        String quoted = TextNode.valueOf(name).toString().substring(1);
        return sequence(literal(quoted + ", \"" + argumentsKey + "\": "), arguments, literal(closeCall));
    }

    /** A call behind the colon that its arguments follow. */
    Expr behindColon(Expr arguments) {
        return sequence(literal(" "), arguments, literal(closeCall));
    }
}
