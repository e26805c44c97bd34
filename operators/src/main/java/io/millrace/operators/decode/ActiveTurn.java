package io.millrace.operators.decode;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Constraint;
import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.EngineTurn;
import io.millrace.operators.TokenIds;
import io.millrace.operators.tiers.TurnBlocks;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.Turn;
import io.millrace.proto.TurnFailed;
import io.millrace.proto.TurnFinished;
import io.millrace.proto.TurnProgress;
import org.jspecify.annotations.Nullable;

/** A turn that is being decoded: the mutable twin of {@link Turn} and {@link TurnProgress}. Used on the task thread. */
final class ActiveTurn implements EngineTurn {
    private static final double NANOS_PER_MS = 1e6;

    private final Turn turn;
    private final SessionPlacement placement;
    private final String sequenceId;
    private final TurnChunks chunks;
    private final TurnProgress.Builder progress;
    private @Nullable TurnBlocks blocks;
    private @Nullable Constraint constraint;
    private boolean headAsked;
    private boolean unsaved;
    private long lastTokenNanos;
    private long lastTokenMs;

    /**
     * Takes a turn up where it stands: at the beginning, if its progress is empty.
     *
     * @param chunks fresh; gets the tokens that there are already
     */
    ActiveTurn(Turn turn, SessionPlacement placement, String sequenceId, TurnChunks chunks, TurnProgress progress) {
        this.turn = requireNonNull(turn, "turn");
        this.placement = requireNonNull(placement, "placement");
        this.sequenceId = requireNonNull(sequenceId, "sequenceId");
        this.chunks = requireNonNull(chunks, "chunks");
        this.progress = progress.toBuilder().clearTurn();
        for (int tokenId : progress.getGeneratedTokenIdsList()) {
            chunks.next(tokenId);
        }
    }

    /** The tiers know it from now on. */
    void attach(TurnBlocks known) {
        this.blocks = requireNonNull(known, "known");
    }

    /** Its blocks in the tiers. */
    TurnBlocks blocks() {
        return requireNonNull(blocks, "the tiers do not know the turn");
    }

    /** What holds its output to a form is known, or that nothing does. */
    void constrain(@Nullable Constraint known) {
        constraint = known;
    }

    /** What its output may be, as its state before the first token; null where it may be anything. */
    @Nullable
    Constraint constraint() {
        return constraint;
    }

    @Override
    public Turn turn() {
        return turn;
    }

    @Override
    public SessionPlacement placement() {
        return placement;
    }

    @Override
    public String sequenceId() {
        return sequenceId;
    }

    /** Whether the engine was asked for the head of its chain; that is done once. */
    boolean isHeadAsked() {
        return headAsked;
    }

    void askHead() {
        headAsked = true;
    }

    /** Tokens so far. */
    int tokenCount() {
        return chunks.tokenCount();
    }

    /** Tokens so far, copied. */
    int[] generatedTokens() {
        return TokenIds.toArray(progress.getGeneratedTokenIdsList());
    }

    /**
     * Takes the next token.
     *
     * @param nanos when it was sampled, by the engine's clock
     * @param nowMs wall time
     */
    TokenChunk token(int tokenId, long nanos, long nowMs) {
        TokenChunk chunk = chunks.next(tokenId);
        progress.addGeneratedTokenIds(tokenId).setEmittedTokens(chunks.tokenCount());
        if (progress.getFirstTokenMs() == 0) {
            progress.setFirstTokenMs(nowMs);
        }
        lastTokenNanos = nanos;
        lastTokenMs = nowMs;
        unsaved = true;
        return chunk;
    }

    /** When the last token was sampled, by the engine's clock; 0 if none was since the turn was taken up. */
    long lastTokenNanos() {
        return lastTokenNanos;
    }

    /** Whether there are tokens that {@link #save} has not returned. */
    boolean isUnsaved() {
        return unsaved;
    }

    /** How far the turn is, for the state. */
    TurnProgress save() {
        unsaved = false;
        return progress.build();
    }

    /** The last chunk. */
    TokenChunk finished(FinishReason reason, int cachedTokens, String stopToken) {
        TokenChunk chunk = chunks.finished(TurnFinished.newBuilder()
                .setReason(wireReason(reason))
                .setPromptTokens(turn.getPromptTokenIdsCount())
                .setCompletionTokens(tokenCount())
                .setCachedTokens(cachedTokens)
                .setStopReason(stopToken)
                .setTtftMs(ttftMs())
                .setItlMs(itlMs())
                .build());
        progress.setFinished(chunk.getFinished());
        return chunk;
    }

    /** The last chunk of a turn that failed. */
    TokenChunk failed(TurnFailed failed) {
        progress.clearFinished().setFailed(failed);
        return chunks.failed(failed);
    }

    /** What is kept of a turn that ended: enough to make its chunks again. */
    TurnProgress ended() {
        return progress.setTurn(turn.toBuilder().clearPromptTokenIds()).build();
    }

    /** Time to the first token in nanoseconds, to a millisecond. */
    long ttftNanos() {
        return (long) (ttftMs() * NANOS_PER_MS);
    }

    private double ttftMs() {
        return progress.getFirstTokenMs() == 0 ? 0 : Math.max(0, progress.getFirstTokenMs() - turn.getArrivalMs());
    }

    private double itlMs() {
        int gaps = tokenCount() - 1;
        // After a restore the time before it counts too: it is what the client saw.
        return gaps <= 0 || lastTokenMs == 0 ? 0 : (lastTokenMs - progress.getFirstTokenMs()) / (double) gaps;
    }

    private static TurnFinished.Reason wireReason(FinishReason reason) {
        return switch (reason) {
            case STOP_TOKEN, STOP_CONDITION -> TurnFinished.Reason.STOP;
            case LENGTH -> TurnFinished.Reason.LENGTH;
            case CANCELLED -> TurnFinished.Reason.CANCELLED;
        };
    }
}
