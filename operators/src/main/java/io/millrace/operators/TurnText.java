package io.millrace.operators;

import static java.util.Objects.requireNonNull;

import io.millrace.proto.ToolCall;
import io.millrace.proto.ToolCallDelta;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns the tokens of one turn into what its chunks say. What comes out depends on the tokens alone, so feeding them
 * again gives the same pieces again. Used by one thread.
 */
public interface TurnText {
    /** Takes the next token; returns what is now certain. */
    Piece accept(int tokenId);

    /** Ends the text; returns what was held back. */
    Piece finish();

    /** The stop string that ended the text, or empty. */
    String stopString();

    /**
     * What a token added.
     *
     * @param content to the message's text
     * @param reasoning to the reasoning text
     * @param toolCalls tool calls that are complete now
     * @param callDeltas what is added to calls whose form is certain before they are complete
     */
    record Piece(String content, String reasoning, List<ToolCall> toolCalls, List<ToolCallDelta> callDeltas) {
        /** Nothing yet. */
        public static final Piece NOTHING = text("");

        /** Content alone. */
        public static Piece text(String content) {
            return new Piece(content, "", List.of(), List.of());
        }

        public Piece {
            requireNonNull(content, "content");
            requireNonNull(reasoning, "reasoning");
            toolCalls = List.copyOf(toolCalls);
            callDeltas = List.copyOf(callDeltas);
        }

        /** This and what came after it. */
        public Piece plus(Piece next) {
            if (this == NOTHING || next == NOTHING) {
                return this == NOTHING ? next : this;
            }
            List<ToolCall> calls = new ArrayList<>(toolCalls);
            calls.addAll(next.toolCalls);
            List<ToolCallDelta> deltas = new ArrayList<>(callDeltas);
            deltas.addAll(next.callDeltas);
            return new Piece(content + next.content, reasoning + next.reasoning, calls, deltas);
        }
    }
}
