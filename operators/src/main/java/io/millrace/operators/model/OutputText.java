package io.millrace.operators.model;

import io.millrace.proto.Turn;
import io.millrace.text.output.OutputFormat;
import io.millrace.text.output.OutputFormat.ToolCallSyntax;
import io.millrace.text.tokenizer.IncrementalDetokenizer;
import io.millrace.text.tokenizer.Tokenizer;
import java.util.Set;

/**
 * The text of a turn's tokens. What ends the turn is no part of it; other control tokens are, where the model's family
 * marks tool calls with them. The engine's stop condition and the reading of the output use the same, so that both see
 * the same text.
 */
final class OutputText {
    private final Tokenizer tokenizer;
    private final IncrementalDetokenizer detokenizer;
    private final Set<Integer> stopTokenIds;

    OutputText(Tokenizer tokenizer, Turn turn) {
        this.tokenizer = tokenizer;
        ToolCallSyntax syntax = OutputFormat.named(turn.getOutputFormat()).toolCalls();
        boolean markedByControlTokens = syntax == ToolCallSyntax.MISTRAL || syntax == ToolCallSyntax.LLAMA3_JSON;
        detokenizer = new IncrementalDetokenizer(tokenizer, !markedByControlTokens);
        stopTokenIds = Set.copyOf(turn.getSampling().getStopTokenIdsList());
    }

    /** Takes the next token; returns the text that is now certain, which may be empty. */
    String accept(int tokenId) {
        boolean ends = tokenizer.isEndOfTurn(tokenId) || stopTokenIds.contains(tokenId);
        return ends ? "" : detokenizer.accept(tokenId);
    }

    /** Ends the text; returns what stands for bytes that were held back in vain. */
    String flush() {
        return detokenizer.flush();
    }
}
