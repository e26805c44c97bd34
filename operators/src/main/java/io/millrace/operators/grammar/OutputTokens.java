package io.millrace.operators.grammar;

import io.millrace.grammar.ForcedTokens;
import org.jspecify.annotations.Nullable;

/** What the text of an output is made of: the bytes that each token adds to it. */
public interface OutputTokens {
    /**
     * The bytes that each token adds to an output's text, by token id; null for one that adds none, such as a control
     * token.
     *
     * @param markers whether control tokens that mark tool calls are text
     */
    @Nullable
    byte[][] bytes(boolean markers);

    /** The tokens that end an output. */
    int[] endTokenIds();

    /** Cuts bytes into the tokens that the model was taught to write them with; null for always the longest. */
    @Nullable
    ForcedTokens forcedTokens();

    /** Whether a space in front of an output is none of its text. */
    boolean dropsLeadingSpace();
}
