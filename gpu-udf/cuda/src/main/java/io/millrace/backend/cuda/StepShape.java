package io.millrace.backend.cuda;

import io.millrace.engine.backend.Batch;
import io.millrace.model.ModelSpec;

/**
 * What the launches of a step depend on, and nothing else does: steps of one shape are the same graph. Counts are
 * rounded up, and kernels read the real ones from device memory.
 *
 * @param rows rows that grids have room for
 * @param logitsRows rows of logits that grids have room for; 0 for none
 * @param samples whether a token is chosen on the device
 * @param decodes whether a sequence has so few rows that they are decode attention's
 * @param prefills whether a sequence has more
 * @param splits whether a context is cut into several splits of keys
 * @param units decode attention's units of work, at least this many, times two at most
 * @param prefillRows rows of the sequences that have more
 */
record StepShape(
        int rows,
        int logitsRows,
        boolean samples,
        boolean decodes,
        boolean prefills,
        boolean splits,
        int units,
        int prefillRows) {
    private static final int SMALL_ROWS = 64;
    private static final int LARGE_ROWS = 128;

    static StepShape of(Batch batch, ModelSpec spec) {
        int decodeRows = ForwardPass.decodeRows(spec);
        int group = ForwardPass.group(spec);
        int units = 0;
        int prefillRows = 0;
        boolean splits = false;
        boolean decodes = false;
        for (int sequence = 0; sequence < batch.sequenceCount; sequence++) {
            int rows = batch.queryStart[sequence + 1] - batch.queryStart[sequence];
            int contextSplits = ceil(batch.contextLengths[sequence], ForwardPass.SPLIT_TOKENS);
            if (rows <= decodeRows) {
                decodes = true;
                splits |= contextSplits > 1;
                units += contextSplits * ceil(rows * group, ForwardPass.TILE_PAIRS);
            } else {
                prefillRows += rows;
            }
        }
        return new StepShape(
                bucket(batch.tokenCount),
                batch.logitsCount == 0 ? 0 : bucket(batch.logitsCount),
                samples(batch),
                decodes,
                prefillRows > 0,
                splits,
                units == 0 ? 0 : Integer.highestOneBit(units),
                prefillRows == 0 ? 0 : bucket(prefillRows));
    }

    private static boolean samples(Batch batch) {
        for (int row = 0; row < batch.logitsCount; row++) {
            if (batch.sampling[row] != Batch.HOST) {
                return true;
            }
        }
        return false;
    }

    /** Rows rounded up: to a power of two from 8 to 64, to multiples of 128 beyond. */
    static int bucket(int rows) {
        if (rows > SMALL_ROWS) {
            return ceil(rows, LARGE_ROWS) * LARGE_ROWS;
        }
        return rows <= 8 ? 8 : Integer.highestOneBit(rows - 1) * 2;
    }

    /** Whether launching its kernels one by one would take longer than they run. */
    boolean isWorthAGraph() {
        return rows <= SMALL_ROWS && !prefills;
    }

    private static int ceil(int count, int unit) {
        return (count + unit - 1) / unit;
    }
}
