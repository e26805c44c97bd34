package io.millrace.operators;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Constraint;
import io.millrace.engine.StopCondition;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.OutputRules;
import io.millrace.proto.Turn;
import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A model's side of text: its chat template and tokenizer. Safe for use by several threads. */
public interface ModelText {
    /**
     * Renders a chat and tokenises it.
     *
     * @param previous the session's last prompt, whose tokens are used as far as both begin alike; null if there is
     *     none
     * @throws io.millrace.kv.ServingException {@code TEMPLATE_REFUSED} or {@code INVALID_REQUEST} if the chat is at
     *     fault, or demands a form of the output that the model cannot be held to
     */
    Prompt prompt(ChatRequest chat, @Nullable Previous previous);

    /** Starts reading a turn's output. */
    TurnText newTurnText(Turn turn);

    /** What ends a turn by its text; it has seen the tokens given. */
    StopCondition stopCondition(Turn turn, int[] generatedTokens);

    /** Whether {@link #constraint} answers at once. */
    boolean isConstraintReady(Turn turn);

    /**
     * What a turn's output may be, as its state before the first token; null where it may be anything. May take a
     * second, unless it is {@linkplain #isConstraintReady ready}.
     *
     * @throws io.millrace.kv.ServingException {@code INVALID_REQUEST} if what the turn demands is not supported
     */
    @Nullable
    Constraint constraint(Turn turn);

    /** A token as the vocabulary writes it. */
    String tokenText(int tokenId);

    /** Token ids are below it. */
    int vocabSize();

    /** Most tokens of a turn, prompt and output. */
    int maxTurnTokens();

    /** Where an operator gets it from. Travels with the job graph, so it names the model and does not hold it. */
    @FunctionalInterface
    interface Source extends Serializable {
        /** The text side of the model, which is read first if the process has not. */
        ModelText open();
    }

    /**
     * An earlier prompt and its tokens.
     *
     * @param text as the template rendered it
     * @param tokenIds its tokens; not copied
     */
    record Previous(String text, int[] tokenIds) {
        public Previous {
            requireNonNull(text, "text");
            requireNonNull(tokenIds, "tokenIds");
        }
    }

    /**
     * A prompt.
     *
     * @param text as the template rendered it
     * @param tokenIds its tokens; not copied
     * @param outputFormat how the output is to be read
     * @param toolNames the tools that the output may call
     * @param forcedPrefix text at the prompt's end that belongs to the output
     * @param outputRules what the output may be; the default instance where it may be anything
     */
    record Prompt(
            String text,
            int[] tokenIds,
            String outputFormat,
            List<String> toolNames,
            String forcedPrefix,
            OutputRules outputRules) {
        public Prompt {
            requireNonNull(text, "text");
            requireNonNull(tokenIds, "tokenIds");
            requireNonNull(outputFormat, "outputFormat");
            toolNames = List.copyOf(toolNames);
            requireNonNull(forcedPrefix, "forcedPrefix");
            requireNonNull(outputRules, "outputRules");
        }
    }
}
