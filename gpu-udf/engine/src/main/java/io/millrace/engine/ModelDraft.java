package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockTable;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What a draft model has computed of one sequence, and how far its guess in this step is. Engine thread. */
final class ModelDraft {
    private final BlockTable table;
    private int[] computed = new int[64];
    private int computedCount;
    /** Of the computed tokens those that are known to be the sequence's. */
    private int confirmedCount;

    /** The sequence's guess in this step, and the constraint's state behind it. */
    private @Nullable Draft draft;

    @Nullable
    Constraint constraint;

    int guessed;
    /** The model's step in which it was last of use. */
    long lastUse;

    ModelDraft(BlockTable table) {
        this.table = requireNonNull(table, "table");
    }

    BlockTable table() {
        return table;
    }

    Draft draft() {
        return requireNonNull(draft, "draft");
    }

    /** Begins a step: of what was computed, that remains which the sequence really has. */
    void begin(Draft next, long step) {
        draft = next;
        lastUse = step;
        guessed = 0;
        constraint = next.sequence().constraint;
        Sequence sequence = next.sequence();
        // The last token is computed again if it was guessed, for its logits.
        int most = Math.min(computedCount, sequence.tokenCount() - 1);
        int same = Math.min(confirmedCount, most);
        while (same < most && computed[same] == sequence.tokens()[same]) {
            same++;
        }
        computedCount = same;
        confirmedCount = same;
    }

    /** Tokens that are computed. */
    int computedCount() {
        return computedCount;
    }

    /** Tokens of the sequence and of its guess so far. */
    int tokenCount() {
        return draft().sequence().tokenCount() + guessed;
    }

    int token(int position) {
        int own = draft().sequence().tokenCount();
        return position < own ? draft().sequence().tokens()[position] : draft().tokens()[position - own];
    }

    /** Notes that the next so many tokens were computed. */
    void advance(int tokens) {
        if (computedCount + tokens > computed.length) {
            computed = Arrays.copyOf(computed, Math.max(computedCount + tokens, 2 * computed.length));
        }
        for (int i = 0; i < tokens; i++) {
            computed[computedCount] = token(computedCount);
            computedCount++;
        }
    }

    /** Gives its blocks back: everything is to be computed again. */
    void drop() {
        table.releaseAll();
        computedCount = 0;
        confirmedCount = 0;
    }
}
