package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.engine.speculation.DrafterKind;
import io.millrace.engine.speculation.ModelLengths;
import io.millrace.kv.BlockPool;
import io.millrace.kv.BlockTable;
import io.millrace.kv.LeastRecentlyUsedRetention;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Guesses what a second model says, sampled with the sequence's own noise: where both models think alike, they say the
 * same. The model computes each sequence's tokens into blocks of its own: in chunks, one batch a step, until it has
 * caught up; then what came since the last step, and one token after the other of the guess. What it has computed may
 * be lost at any time, and is computed again.
 */
final class ModelDrafter implements Drafter {
    private static final int[] NONE = {};

    private final DraftModel model;
    private final ModelInstance instance;
    private final ModelLengths lengths;
    private final LongSupplier nanoClock;
    private final BlockPool pool;
    private final int blockSizeTokens;
    private final Sampler sampler;
    private final Batch batch;
    private final ForwardResult result;
    /** What is computed of each sequence. */
    private final Set<ModelDraft> all = new LinkedHashSet<>();
    /** Those of the batch, and how many tokens of each. */
    private final List<ModelDraft> rows = new ArrayList<>();

    private long step;

    /**
     * A drafter that has computed nothing.
     *
     * @param vocabSize tokens of the vocabulary that it guesses for
     * @throws IllegalArgumentException if the model has another vocabulary
     */
    ModelDrafter(DraftModel model, int vocabSize, ModelLengths lengths, LongSupplier nanoClock) {
        this.model = requireNonNull(model, "model");
        this.lengths = requireNonNull(lengths, "lengths");
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
        instance = model.instance();
        if (instance.modelSpec().vocabSize() != vocabSize) {
            throw new IllegalArgumentException("the draft model has a vocabulary of "
                    + instance.modelSpec().vocabSize() + " tokens, and the model one of " + vocabSize);
        }
        blockSizeTokens = instance.kvLayout().blockSizeTokens();
        pool = new BlockPool(instance.blockCount(), new LeastRecentlyUsedRetention(instance.blockCount()));
        sampler = new Sampler(vocabSize);
        batch = new Batch(model.maxBatchTokens(), model.maxBatchSequences());
        result = new ForwardResult(0, model.maxBatchSequences(), vocabSize);
    }

    @Override
    public DrafterKind kind() {
        return DrafterKind.MODEL;
    }

    @Override
    public void guess(List<Draft> drafts) {
        step++;
        int length = length(drafts);
        if (length == 0) {
            return;
        }
        List<ModelDraft> ready = begin(drafts, length);
        long startNanos = nanoClock.getAsLong();
        int tokens = 0;
        while (tokens < length && !ready.isEmpty()) {
            int nth = tokens;
            ready.removeIf(each -> each.draft().limit() <= nth || !reserve(each, each.tokenCount()));
            computeLast(ready);
            tokens++;
        }
        lengths.note(tokens, nanoClock.getAsLong() - startNanos);
        for (ModelDraft each : all) {
            if (each.lastUse == step && each.guessed > 0 && !each.draft().isBroken()) {
                each.draft().guess(DrafterKind.MODEL, each.guessed, 0);
            }
        }
    }

    @Override
    public void forget(Draft draft) {
        if (draft.modelState() != null) {
            draft.modelState().drop();
            all.remove(draft.modelState());
            draft.modelState(null);
        }
    }

    @Override
    public void close() {
        model.close();
    }

    @Override
    public void checkIntegrity() {
        List<BlockTable> tables = new ArrayList<>();
        all.forEach(each -> tables.add(each.table()));
        pool.checkIntegrity(tables, List.of());
    }

    private int length(List<Draft> drafts) {
        double rates = 0;
        int limit = 0;
        for (Draft draft : drafts) {
            rates += draft.rate(DrafterKind.MODEL);
            limit = Math.max(limit, draft.limit());
        }
        return lengths.next(drafts.size(), rates / drafts.size(), limit);
    }

    /** Finds out which sequences the model has caught up with, and computes a chunk of the others' tokens. */
    private List<ModelDraft> begin(List<Draft> drafts, int length) {
        List<ModelDraft> ready = new ArrayList<>();
        batch.clear();
        rows.clear();
        int blocks = 0;
        for (Draft draft : drafts) {
            if (draft.sequence().tokenCount() + length > model.maxModelTokens()) {
                continue;
            }
            ModelDraft each = stateOf(draft);
            each.begin(draft, step);
            int missing = each.tokenCount() - 1 - each.computedCount();
            // A few tokens more are computed with the last one.
            boolean few = missing <= draft.tokens().length && missing < model.maxBatchTokens();
            if (few && ready.size() < model.maxBatchSequences()) {
                ready.add(each);
                continue;
            }
            int chunk = Math.min(missing, model.maxBatchTokens() - batch.tokenCount);
            boolean fits = chunk > 0 && rows.size() < model.maxBatchSequences();
            if (fits && reserve(each, each.computedCount() + chunk)) {
                blocks = add(each, chunk, false, blocks);
            }
        }
        run(blocks);
        return ready;
    }

    /** Computes all tokens of the sequences as far as they are guessed, and guesses one more of each. */
    private void computeLast(List<ModelDraft> ready) {
        batch.clear();
        rows.clear();
        int blocks = 0;
        for (ModelDraft each : ready) {
            int missing = each.tokenCount() - each.computedCount();
            if (batch.tokenCount + missing <= model.maxBatchTokens()) {
                blocks = add(each, missing, true, blocks);
            }
        }
        ready.retainAll(rows);
        run(blocks);
        for (int row = 0; row < rows.size(); row++) {
            if (!sample(rows.get(row), row)) {
                ready.remove(rows.get(row));
            }
        }
    }

    private boolean sample(ModelDraft each, int row) {
        Sequence sequence = each.draft().sequence();
        SamplingParameters sampling = sequence.request().sampling();
        int offset = sequence.outputTokens() + each.guessed;
        int[] banned = offset < sampling.minTokens() ? sequence.endTokens : NONE;
        try {
            long[] mask = each.constraint == null ? null : each.constraint.allowed();
            // Guessed tokens are left out of the counts: it is a guess.
            int tokenId = batch.sampling[row] == Batch.HOST
                    ? sampler.sample(result.logits[row], sampling, offset, sequence.counts(), banned, mask)
                    : result.tokenIds[row];
            if (tokenId == Sampler.NO_TOKEN) {
                return false;
            }
            each.draft().tokens()[each.guessed] = tokenId;
            each.guessed++;
            if (each.constraint == null) {
                return true;
            }
            each.constraint = each.constraint.after(tokenId);
            return each.constraint != null;
        } catch (RuntimeException e) {
            each.draft().breakOff(e);
            return false;
        }
    }

    private ModelDraft stateOf(Draft draft) {
        ModelDraft state = draft.modelState();
        if (state == null) {
            state = new ModelDraft(new BlockTable(
                    pool, blockSizeTokens, draft.sequence().request().sessionId()));
            draft.modelState(state);
            all.add(state);
        }
        return state;
    }

    /** Takes blocks for so many tokens, if need be from the sequence that was of no use for the longest time. */
    private boolean reserve(ModelDraft each, int tokenCount) {
        while (!each.table().reserve(tokenCount)) {
            ModelDraft oldest = null;
            for (ModelDraft other : all) {
                boolean older = oldest == null || other.lastUse < oldest.lastUse;
                if (other.lastUse < step && other.table().blockCount() > 0 && older) {
                    oldest = other;
                }
            }
            if (oldest == null) {
                return false;
            }
            oldest.drop();
        }
        return true;
    }

    /** Adds the next tokens of a sequence to the batch; returns the block table entries in it. */
    private int add(ModelDraft each, int tokens, boolean wantsLogits, int blocks) {
        int row = rows.size();
        rows.add(each);
        batch.queryStart[row] = batch.tokenCount;
        batch.blockTableStart[row] = blocks;
        int count = each.table().blockCount();
        if (blocks + count > batch.blockTables.length) {
            batch.blockTables =
                    Arrays.copyOf(batch.blockTables, Math.max(blocks + count, 2 * batch.blockTables.length));
        }
        each.table().copyTo(batch.blockTables, blocks, count);
        int from = each.computedCount();
        for (int position = from; position < from + tokens; position++) {
            batch.tokenIds[batch.tokenCount] = each.token(position);
            batch.positions[batch.tokenCount] = position;
            batch.slotMapping[batch.tokenCount] = each.table().slot(position);
            batch.tokenCount++;
        }
        batch.contextLengths[row] = from + tokens;
        if (wantsLogits) {
            Sequence sequence = each.draft().sequence();
            int offset = sequence.outputTokens() + each.guessed;
            // A draft's constraint is its own.
            RowSampling.fill(batch, batch.logitsCount, sequence, offset, instance.samples());
            batch.logitsRows[batch.logitsCount] = batch.tokenCount - 1;
            batch.logitsCount++;
        }
        return blocks + count;
    }

    private void run(int blocks) {
        if (rows.isEmpty()) {
            return;
        }
        batch.sequenceCount = rows.size();
        batch.queryStart[rows.size()] = batch.tokenCount;
        batch.blockTableStart[rows.size()] = blocks;
        result.reserve(batch);
        instance.execute(batch, result);
        for (int row = 0; row < rows.size(); row++) {
            rows.get(row).advance(batch.queryStart[row + 1] - batch.queryStart[row]);
        }
    }
}
