package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The masks of a step's rows: what the constraint of each row's sequence allows there. They depend on the plan alone,
 * so an executor computes them while the device works. Engine thread, but for that.
 */
final class StepMasks {
    private final Executor executor;
    private final LongSupplier nanoClock;
    private final @Nullable Constraint[] states;
    private final long[] @Nullable [] masks;
    private final @Nullable RuntimeException[] failures;
    private int rows;
    private @Nullable CompletableFuture<@Nullable Void> underway;

    private long maskCount;
    private long maskNanos;
    private long maskNanosMax;
    private final RecentNanos recentNanos = new RecentNanos();
    private long waitNanos;

    /** No masks, of so many rows at most. */
    StepMasks(int maxRows, Executor executor, LongSupplier nanoClock) {
        this.executor = requireNonNull(executor, "executor");
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
        states = new Constraint[maxRows];
        masks = new long[maxRows][];
        failures = new RuntimeException[maxRows];
    }

    /** Begins to compute the masks of a plan's rows, in the order of their logits. */
    void begin(StepPlan plan) {
        Arrays.fill(states, 0, rows, null);
        Arrays.fill(masks, 0, rows, null);
        Arrays.fill(failures, 0, rows, null);
        rows = 0;
        boolean any = false;
        for (int row = 0; row < plan.rowCount(); row++) {
            Sequence sequence = plan.sequence(row);
            if (!BatchFiller.wantsLogits(sequence, sequence.computedTokens + plan.tokens(row))) {
                continue;
            }
            Draft draft = plan.draft(row);
            int own = 1 + plan.draftRows(row);
            for (int i = 0; i < own; i++) {
                states[rows] = draft == null ? sequence.constraint : draft.stateBefore(i);
                any |= states[rows] != null;
                rows++;
            }
        }
        underway = any ? start() : null;
    }

    private CompletableFuture<@Nullable Void> start() {
        try {
            return CompletableFuture.runAsync(this::compute, executor);
        } catch (RejectedExecutionException e) {
            compute();
            return CompletableFuture.completedFuture(null);
        }
    }

    /** Waits until they are there. */
    void await() {
        if (underway != null) {
            long startNanos = nanoClock.getAsLong();
            underway.join();
            waitNanos += nanoClock.getAsLong() - startNanos;
            underway = null;
        }
    }

    /** The mask of a row, or null where everything is allowed, or it {@linkplain #failure failed}. */
    long @Nullable [] mask(int row) {
        return masks[row];
    }

    /** What the constraint threw instead of giving a mask, or null. */
    @Nullable
    RuntimeException failure(int row) {
        return failures[row];
    }

    long maskCount() {
        return maskCount;
    }

    long maskNanos() {
        return maskNanos;
    }

    long maskNanosMax() {
        return maskNanosMax;
    }

    long maskNanosP99() {
        return recentNanos.quantile(0.99);
    }

    long waitNanos() {
        return waitNanos;
    }

    private void compute() {
        long before = nanoClock.getAsLong();
        for (int row = 0; row < rows; row++) {
            Constraint state = states[row];
            if (state == null) {
                continue;
            }
            try {
                masks[row] = requireNonNull(state.allowed(), "a constraint's mask");
            } catch (RuntimeException e) {
                failures[row] = e;
            }
            long after = nanoClock.getAsLong();
            maskCount++;
            maskNanos += after - before;
            maskNanosMax = Math.max(maskNanosMax, after - before);
            recentNanos.add(after - before);
            before = after;
        }
    }
}
