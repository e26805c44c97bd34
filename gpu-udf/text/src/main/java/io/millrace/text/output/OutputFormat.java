package io.millrace.text.output;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.Locale;

/**
 * How a model's output is to be read.
 *
 * @param toolCalls how it writes tool calls
 * @param reasoning where its reasoning is
 */
public record OutputFormat(ToolCallSyntax toolCalls, Reasoning reasoning) {

    /** How a family of models writes tool calls. */
    public enum ToolCallSyntax {
        /** None: everything is text. */
        PLAIN,
        /** {@code <tool_call>{"name": ..., "arguments": {...}}</tool_call>}, as Hermes and Qwen do. */
        HERMES,
        /** {@code {"name": ..., "parameters": {...}}} as the whole message, perhaps after {@code <|python_tag|>}. */
        LLAMA3_JSON,
        /** {@code [TOOL_CALLS][{"name": ..., "arguments": {...}}]}, or {@code [TOOL_CALLS]name[ARGS]{...}}. */
        MISTRAL
    }

    /** Where reasoning is in the output. */
    public enum Reasoning {
        /** There is none. */
        NONE,
        /** Between {@code <think>} and {@code </think>} at the beginning. */
        TAGGED,
        /** From the beginning up to {@code </think>}: the prompt ends with {@code <think>}. */
        OPENED
    }

    /** Everything is text. */
    public static final OutputFormat PLAIN = new OutputFormat(ToolCallSyntax.PLAIN, Reasoning.NONE);

    private static final String THINK = "+think";
    private static final String THINK_OPENED = "+think-opened";

    public OutputFormat {
        requireNonNull(toolCalls, "toolCalls");
        requireNonNull(reasoning, "reasoning");
    }

    /** Returns the name by which messages carry the format, such as {@code hermes+think}. */
    public String wireName() {
        String name = toolCalls.name().toLowerCase(Locale.ROOT).replace('_', '-');
        return switch (reasoning) {
            case NONE -> name;
            case TAGGED -> name + THINK;
            case OPENED -> name + THINK_OPENED;
        };
    }

    /**
     * Returns the format of a {@link #wireName()}; the empty name is {@link #PLAIN}.
     *
     * @throws ServingException with {@link ErrorCode#INTERNAL} if there is none of that name
     */
    public static OutputFormat named(String wireName) {
        if (wireName.isEmpty()) {
            return PLAIN;
        }
        for (ToolCallSyntax syntax : ToolCallSyntax.values()) {
            for (Reasoning reasoning : Reasoning.values()) {
                OutputFormat format = new OutputFormat(syntax, reasoning);
                if (format.wireName().equals(wireName)) {
                    return format;
                }
            }
        }
        throw new ServingException(ErrorCode.INTERNAL, "no output format is named '" + wireName + "'");
    }
}
