package io.millrace.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one step computes: some sequences, and how many tokens of each. Allocated once and filled anew. */
final class StepPlan {
    private final int maxTokens;
    private final Sequence[] sequences;
    private final int[] tokenCounts;
    private final @Nullable Draft[] drafts;
    private final List<Sequence> completed = new ArrayList<>();
    private int rowCount;
    private int tokenCount;
    private int admittedCount;
    private int startedLoads;

    /** An empty plan of at most so many tokens and sequences. */
    StepPlan(int maxTokens, int maxSequences) {
        this.maxTokens = maxTokens;
        sequences = new Sequence[maxSequences];
        tokenCounts = new int[maxSequences];
        drafts = new Draft[maxSequences];
    }

    void clear() {
        Arrays.fill(sequences, 0, rowCount, null);
        Arrays.fill(drafts, null);
        completed.clear();
        rowCount = 0;
        tokenCount = 0;
        admittedCount = 0;
        startedLoads = 0;
    }

    /** Sequences in the batch. */
    int rowCount() {
        return rowCount;
    }

    /** Tokens in the batch, guessed ones included. */
    int tokenCount() {
        return tokenCount;
    }

    Sequence sequence(int row) {
        return sequences[row];
    }

    /** Tokens of a sequence that this step computes, without guessed ones. */
    int tokens(int row) {
        return tokenCounts[row];
    }

    /** What is guessed behind a sequence's tokens, or null. */
    @Nullable
    Draft draft(int row) {
        return drafts[row];
    }

    /** Guessed tokens of a sequence that this step computes. */
    int draftRows(int row) {
        Draft draft = drafts[row];
        return draft == null ? 0 : draft.rows();
    }

    /** Tokens that fit beside those of further sequences: room for guesses. */
    int spareTokens() {
        return maxTokens - tokenCount;
    }

    /** Tokens that still fit. */
    int tokensLeft() {
        return rowCount == sequences.length ? 0 : maxTokens - tokenCount;
    }

    int rowsLeft() {
        return sequences.length - rowCount;
    }

    /** Prefill-only sequences that have all their blocks without (further) computing. */
    List<Sequence> completed() {
        return completed;
    }

    /** Sequences that were scheduled for the first time. */
    int admittedCount() {
        return admittedCount;
    }

    /** Sequences that began to load blocks. */
    int startedLoads() {
        return startedLoads;
    }

    /** Tokens in the batch of sequences that do not decode yet. */
    int prefillTokens() {
        int tokens = 0;
        for (int row = 0; row < rowCount; row++) {
            tokens += sequences[row].state == Sequence.State.PREFILLING ? tokenCounts[row] : 0;
        }
        return tokens;
    }

    boolean isEmpty() {
        return rowCount == 0 && completed.isEmpty() && startedLoads == 0;
    }

    void add(Sequence sequence, int tokens) {
        assert tokens > 0 && tokens <= tokensLeft() : tokens + " tokens are beyond the budget";
        sequences[rowCount] = sequence;
        tokenCounts[rowCount] = tokens;
        rowCount++;
        tokenCount += tokens;
    }

    /** Adds what is guessed of a sequence that is in the plan, once no sequence is added or removed any more. */
    void addDraft(int row, Draft draft) {
        assert sequences[row] == draft.sequence() && draft.rows() <= spareTokens() : "row " + row;
        drafts[row] = draft;
        tokenCount += draft.rows();
    }

    void complete(Sequence sequence) {
        completed.add(sequence);
    }

    void countAdmitted() {
        admittedCount++;
    }

    void countLoad() {
        startedLoads++;
    }

    /** Takes a sequence out that lost its blocks after it was added. */
    void remove(Sequence sequence) {
        int kept = 0;
        for (int row = 0; row < rowCount; row++) {
            if (sequences[row] == sequence) {
                tokenCount -= tokenCounts[row];
            } else {
                sequences[kept] = sequences[row];
                tokenCounts[kept] = tokenCounts[row];
                kept++;
            }
        }
        for (int row = kept; row < rowCount; row++) {
            sequences[row] = null;
        }
        rowCount = kept;
    }
}
