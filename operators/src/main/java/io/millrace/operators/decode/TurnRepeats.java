package io.millrace.operators.decode;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.operators.TurnFailures;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.Turn;
import io.millrace.proto.TurnProgress;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Sends the chunks of turns again, from the first. Used on the task thread. */
final class TurnRepeats {
    private final DecodeState state;
    private final Function<Turn, TurnChunks> newChunks;

    /**
     * Repeats of a subtask's turns.
     *
     * @param newChunks makes a turn's chunks, of which there is none yet
     */
    TurnRepeats(DecodeState state, Function<Turn, TurnChunks> newChunks) {
        this.state = requireNonNull(state, "state");
        this.newChunks = requireNonNull(newChunks, "newChunks");
    }

    /**
     * Answers a repeat; its key is the current one.
     *
     * @param known the turn, if it runs
     */
    void repeat(Turn turn, @Nullable ActiveTurn known, Consumer<TokenChunk> output) throws Exception {
        if (known != null) {
            TurnChunks chunks = newChunks.apply(known.turn());
            for (int tokenId : known.generatedTokens()) {
                output.accept(chunks.next(tokenId));
            }
            return;
        }
        TurnProgress ended = state.ended(turn.getRequestId());
        if (ended == null) {
            String message = "request " + turn.getRequestId() + " of this session has ended, and its output is no"
                    + " longer held";
            output.accept(TurnChunks.failed(turn, 0, TurnFailures.of(ErrorCode.OUTPUT_NOT_HELD, message)));
            return;
        }
        TurnChunks chunks = newChunks.apply(ended.getTurn());
        for (int tokenId : ended.getGeneratedTokenIdsList()) {
            output.accept(chunks.next(tokenId));
        }
        output.accept(ended.hasFailed() ? chunks.failed(ended.getFailed()) : chunks.finished(ended.getFinished()));
    }
}
