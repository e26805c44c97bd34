package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Sequence.State;
import io.millrace.engine.speculation.AcceptanceRates;
import io.millrace.engine.speculation.DraftBudget;
import io.millrace.engine.speculation.DrafterKind;
import io.millrace.engine.speculation.ModelLengths;
import io.millrace.engine.speculation.StepCosts;
import io.millrace.kv.BlockPool;
import io.millrace.kv.BlockTable;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Adds guessed tokens to a step's plan, as extra rows of sequences that sample in it, where there is room once all
 * ordinary rows are planned. Engine thread.
 */
final class Speculation implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Speculation.class);

    /** In the order in which they are asked. */
    private final List<Drafter> drafters = new ArrayList<>();

    private final BlockPool pool;
    private final SpeculationOptions options;
    private final int blockSizeTokens;
    private final int maxSequenceTokens;
    private final int vocabSize;
    private final AcceptanceRates rates = AcceptanceRates.ofEngine();
    private final StepCosts costs;
    private final DraftBudget budget;

    /** The guesses of a step, and their sequences' rows in its plan, by the order of those. */
    private final List<Draft> drafts = new ArrayList<>();

    private final int[] rows;
    private final List<Draft> asked = new ArrayList<>();
    private final double[][] chances;
    private final int[] counts;
    private final Map<DrafterKind, long[]> drafted = new EnumMap<>(DrafterKind.class);

    /**
     * Guesses for an engine.
     *
     * @param model a second model, or null
     * @param pool the engine's
     */
    Speculation(
            @Nullable DraftModel model,
            BlockPool pool,
            EngineOptions options,
            int blockSizeTokens,
            int maxSequenceTokens,
            int vocabSize) {
        this.pool = requireNonNull(pool, "pool");
        this.options = options.speculation();
        this.blockSizeTokens = blockSizeTokens;
        this.maxSequenceTokens = maxSequenceTokens;
        this.vocabSize = vocabSize;
        int maxSequences = options.maxBatchSequences();
        int maxDraftRows = options.speculation().maxDraftRows();
        costs = new StepCosts(maxSequences + maxDraftRows);
        budget = new DraftBudget(costs, maxSequences, maxDraftRows);
        drafters.add(new ConstraintDrafter());
        drafters.add(new PromptLookupDrafter());
        if (model != null) {
            ModelLengths lengths = new ModelLengths(costs, options.speculation().adaptive());
            drafters.add(new ModelDrafter(model, vocabSize, lengths, options.nanoClock()));
        }
        chances = new double[maxSequences][];
        counts = new int[maxSequences];
        rows = new int[maxSequences];
        for (DrafterKind kind : DrafterKind.values()) {
            drafted.put(kind, new long[2]);
        }
    }

    /** Adds guesses to a plan that has all its ordinary rows. */
    void draft(StepPlan plan) {
        int plainRows = collect(plan);
        int spareRows = Math.min(plan.spareTokens(), options.maxDraftRows());
        if (drafts.isEmpty() || spareRows == 0) {
            return;
        }
        for (Drafter drafter : drafters) {
            ask(drafter);
        }
        int guesses = drafts.size();
        for (int i = 0; i < guesses; i++) {
            chances[i] = drafts.get(i).chances();
            counts[i] = drafts.get(i).count();
        }
        int[] lengths = options.adaptive()
                ? budget.share(chances, counts, guesses, plainRows, spareRows)
                : asManyAsFit(guesses, spareRows);
        for (int i = 0; i < guesses; i++) {
            if (lengths[i] > 0) {
                plan.addDraft(rows[i], compute(drafts.get(i), lengths[i]));
            }
        }
    }

    /** Notes what was sampled at a row of a sequence. Returns whether the next row's token is that one. */
    boolean note(Sequence sequence, int row, int tokenId) {
        Draft draft = sequence.draft;
        if (draft == null || !draft.note(row, tokenId)) {
            return false;
        }
        counts(draft.kind())[1]++;
        return true;
    }

    /** Notes how long a step took. */
    void noteStep(int logitsRows, boolean prefills, long nanos) {
        if (!prefills && logitsRows > 0) {
            costs.note(logitsRows, nanos);
        }
    }

    /** Forgets a sequence that has ended. */
    void forget(Sequence sequence) {
        if (sequence.draft != null) {
            for (Drafter drafter : drafters) {
                drafter.forget(sequence.draft);
            }
        }
    }

    SpeculationStats.Drafted drafted(DrafterKind kind) {
        long[] kinds = counts(kind);
        return new SpeculationStats.Drafted(kinds[0], kinds[1]);
    }

    /**
     * Verifies what the drafters keep.
     *
     * @throws IllegalStateException naming what does not hold
     */
    void checkIntegrity() {
        drafters.forEach(Drafter::checkIntegrity);
    }

    @Override
    public void close() {
        drafters.forEach(Drafter::close);
    }

    /** Finds the sequences of a plan that want guesses; returns how many sample in it. */
    private int collect(StepPlan plan) {
        drafts.clear();
        int plainRows = 0;
        for (int row = 0; row < plan.rowCount(); row++) {
            Sequence sequence = plan.sequence(row);
            if (!BatchFiller.wantsLogits(sequence, sequence.computedTokens + plan.tokens(row))) {
                continue;
            }
            plainRows++;
            Draft draft = draftOf(sequence);
            if (draft != null) {
                draft.begin(limit(sequence));
                if (draft.limit() > 0) {
                    rows[drafts.size()] = row;
                    drafts.add(draft);
                }
            }
        }
        return plainRows;
    }

    private @Nullable Draft draftOf(Sequence sequence) {
        if (sequence.draft == null && sequence.request().speculation().isOn()) {
            sequence.draft = new Draft(sequence, rates.ofSequence());
        }
        return sequence.draft == null || sequence.draft.isBroken() ? null : sequence.draft;
    }

    /** Of the tokens that a step may sample of a sequence, all but the last can be guessed. */
    private int limit(Sequence sequence) {
        int output = sequence.request().sampling().maxTokens() - sequence.outputTokens() - 1;
        return Math.max(0, Math.min(output, maxSequenceTokens - sequence.tokenCount() - 1));
    }

    private void ask(Drafter drafter) {
        asked.clear();
        for (Draft draft : drafts) {
            boolean wanted = draft.sequence().request().speculation().drafters().contains(drafter.kind());
            if (wanted && draft.count() == 0 && !draft.isBroken()) {
                asked.add(draft);
            }
        }
        if (asked.isEmpty()) {
            return;
        }
        try {
            drafter.guess(asked);
        } catch (RuntimeException e) {
            LOG.error("Guesses of kind {} failed", drafter.kind(), e);
            asked.forEach(draft -> draft.breakOff(e));
        }
    }

    private int[] asManyAsFit(int guesses, int spareRows) {
        int[] lengths = new int[guesses];
        int left = spareRows;
        for (int i = 0; i < guesses; i++) {
            lengths[i] = Math.min(counts[i], left);
            left -= lengths[i];
        }
        return lengths;
    }

    /** Makes a guess ready to be computed, as far as it is possible at all and there are blocks. */
    private Draft compute(Draft draft, int length) {
        Sequence sequence = draft.sequence();
        int possible = 0;
        while (possible < length && draft.tokens()[possible] >= 0 && draft.tokens()[possible] < vocabSize) {
            possible++;
        }
        try {
            draft.compute(possible);
        } catch (RuntimeException e) {
            draft.breakOff(e);
        }
        BlockTable table = sequence.table();
        if (!table.reserve(sequence.tokenCount() + draft.rows())) {
            int room = (table.blockCount() + pool.freeCount()) * blockSizeTokens;
            draft.shorten(Math.max(0, room - sequence.tokenCount()));
            boolean reserved = table.reserve(sequence.tokenCount() + draft.rows());
            assert reserved : "no room for " + draft.rows() + " tokens behind " + sequence;
        }
        assert sequence.state == State.DECODING || sequence.state == State.PREFILLING : sequence;
        counts(draft.kind())[0] += draft.rows();
        return draft;
    }

    private long[] counts(DrafterKind kind) {
        return requireNonNull(drafted.get(kind), "counts of every kind");
    }
}
