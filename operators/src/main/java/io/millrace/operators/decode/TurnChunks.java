package io.millrace.operators.decode;

import static java.util.Objects.requireNonNull;

import io.millrace.operators.TurnText;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.Turn;
import io.millrace.proto.TurnFailed;
import io.millrace.proto.TurnFinished;

/** Makes the chunks of one turn, one a token. The same tokens give the same chunks, whoever asks and whenever. */
final class TurnChunks {
    private final Turn turn;
    private final TurnText text;
    private int tokenCount;
    private boolean hasToolCalls;

    TurnChunks(Turn turn, TurnText text) {
        this.turn = requireNonNull(turn, "turn");
        this.text = requireNonNull(text, "text");
    }

    /** Tokens that chunks were made of. */
    int tokenCount() {
        return tokenCount;
    }

    /** The chunk of the next token. */
    TokenChunk next(int tokenId) {
        TokenChunk.Builder chunk = chunk(text.accept(tokenId)).addTokenIds(tokenId);
        tokenCount++;
        return chunk.build();
    }

    /** The last chunk, with what was held back. The reason becomes that of a turn with tool calls if it has any. */
    TokenChunk finished(TurnFinished finished) {
        TokenChunk.Builder chunk = chunk(text.finish());
        boolean called = hasToolCalls && finished.getReason() == TurnFinished.Reason.STOP;
        TurnFinished.Builder end = finished.toBuilder();
        if (called) {
            end.setReason(TurnFinished.Reason.TOOL_CALLS);
        }
        if (finished.getStopReason().isEmpty()) {
            end.setStopReason(text.stopString());
        }
        return chunk.setFinished(end).build();
    }

    /** The last chunk of a turn that failed. */
    TokenChunk failed(TurnFailed failed) {
        return failed(turn, tokenCount, failed);
    }

    /** The last chunk of a turn that failed after so many tokens. */
    static TokenChunk failed(Turn turn, int tokenCount, TurnFailed failed) {
        return TokenChunk.newBuilder()
                .setSessionId(turn.getSessionId())
                .setRequestId(turn.getRequestId())
                .setOffset(tokenCount)
                .setFailed(failed)
                .build();
    }

    /** The only chunk of a request that closed its session. */
    static TokenChunk closed(Turn turn) {
        return TokenChunk.newBuilder()
                .setSessionId(turn.getSessionId())
                .setRequestId(turn.getRequestId())
                .setFinished(TurnFinished.newBuilder().setReason(TurnFinished.Reason.CLOSED))
                .build();
    }

    private TokenChunk.Builder chunk(TurnText.Piece piece) {
        hasToolCalls |= !piece.toolCalls().isEmpty();
        return TokenChunk.newBuilder()
                .setSessionId(turn.getSessionId())
                .setRequestId(turn.getRequestId())
                .setOffset(tokenCount)
                .setContent(piece.content())
                .setReasoningContent(piece.reasoning())
                .addAllToolCalls(piece.toolCalls())
                .addAllToolCallDeltas(piece.callDeltas());
    }
}
