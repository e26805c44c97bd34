package io.millrace.backend.cpu;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cpu.kernel.AttentionOperands;
import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.engine.backend.Batch;
import io.millrace.model.ModelSpec;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Causal attention over paged keys and values. An item is a run of rows of one sequence and one key/value head, with
 * all query heads that share it.
 *
 * <p>What is computed, for each query head, is fixed by the row alone: a score for each position from the window's
 * start to its own, each one chain over the head's elements; weights exp(score - max), their sum in {@link
 * Kernels#SUM_LANES} partial sums by position; and each output element one chain over the positions in order, divided
 * by the sum at the end.
 */
final class AttentionPhase implements ComputeTeam.Region {
    private final ComputeTeam team;
    private final Kernels kernels;
    private final WorkerScratch[] scratches;
    private final ModelSpec spec;
    private final KvArena arena;
    private final HeadPreparation heads;
    private final SplitAttention split;
    private final int groupSize;
    private final int blockSize;

    private @Nullable BatchRows rows;
    private float[] query = {};
    private float[] output = {};
    private int layer;
    private boolean preparing;

    AttentionPhase(
            ComputeTeam team,
            Kernels kernels,
            WorkerScratch[] scratches,
            ModelSpec spec,
            KvArena arena,
            HeadPreparation heads) {
        this.team = team;
        this.kernels = kernels;
        this.scratches = scratches;
        this.spec = spec;
        this.arena = arena;
        this.heads = heads;
        this.split = new SplitAttention(team, kernels, scratches, spec, arena);
        this.groupSize = spec.headCount() / spec.kvHeadCount();
        this.blockSize = arena.layout().blockSizeTokens();
    }

    /**
     * Attends with every row.
     *
     * @param prepare whether each item first rotates and stores its own key: allowed if no row needs another one's
     */
    void run(BatchRows batchRows, int layerIndex, float[] queries, float[] outputs, boolean prepare) {
        rows = batchRows;
        layer = layerIndex;
        query = queries;
        output = outputs;
        preparing = prepare;
        int position = position(batchRows, 0);
        int windowStart = windowStart(position);
        if (split.isWorthwhile(batchRows.count(), position + 1 - windowStart)) {
            if (prepare) {
                heads.run();
            }
            split.run(batchRows, layerIndex, windowStart, position, queries, outputs);
            return;
        }
        team.run(this, batchRows.groupCount() * spec.kvHeadCount());
    }

    @Override
    public void run(int item, int worker) {
        BatchRows batchRows = requireNonNull(rows, "rows");
        int group = item / spec.kvHeadCount();
        int kvHead = item % spec.kvHeadCount();
        int firstRow = batchRows.groupStart(group);
        int endRow = batchRows.groupStart(group + 1);
        WorkerScratch scratch = scratches[worker];
        if (preparing) {
            for (int row = firstRow; row < endRow; row++) {
                heads.prepare(batchRows.tokenIndex(row), kvHead, scratch.lanes);
            }
        }
        score(batchRows, firstRow, endRow, kvHead, scratch);
        for (int row = firstRow; row < endRow; row++) {
            weigh(batchRows, firstRow, row, kvHead, scratch);
        }
        addValues(batchRows, firstRow, endRow, kvHead, scratch);
        for (int row = firstRow; row < endRow; row++) {
            for (int head = 0; head < groupSize; head++) {
                int start = headStart(row, kvHead) + head * spec.headDim();
                divide(output, start, spec.headDim(), scratch.sums[(row - firstRow) * groupSize + head]);
            }
        }
    }

    private int position(BatchRows batchRows, int row) {
        return batchRows.batch().positions[batchRows.tokenIndex(row)];
    }

    /** First position that a row attends to. */
    private int windowStart(int position) {
        return spec.isSliding(layer) ? Math.max(0, position - spec.slidingWindow() + 1) : 0;
    }

    /** Position of a run's first score: a multiple of the partial sums' number, whatever the window. */
    private int origin(BatchRows batchRows, int firstRow) {
        int firstBlock = firstBlock(batchRows, firstRow);
        return firstBlock * blockSize & -Kernels.SUM_LANES;
    }

    private int firstBlock(BatchRows batchRows, int row) {
        return windowStart(position(batchRows, row)) / blockSize;
    }

    private int headStart(int row, int kvHead) {
        return (row * spec.headCount() + kvHead * groupSize) * spec.headDim();
    }

    /** Scores of all rows of a run: each block's keys are used for every row that sees them while they are near. */
    private void score(BatchRows batchRows, int firstRow, int endRow, int kvHead, WorkerScratch scratch) {
        Batch batch = batchRows.batch();
        int headDim = spec.headDim();
        int keys = arena.layout().keyOffset(layer, kvHead);
        int table = batch.blockTableStart[batchRows.sequence(firstRow)];
        int origin = origin(batchRows, firstRow);
        int firstBlock = firstBlock(batchRows, firstRow);
        int endBlock = position(batchRows, endRow - 1) / blockSize + 1;
        AttentionOperands operands = scratch.operands;
        for (int head = 0; head < (endRow - firstRow) * groupSize; head++) {
            int start = head * scratch.scoresStride;
            Arrays.fill(scratch.scores, start, start + endBlock * blockSize - origin, 0f);
        }
        for (int block = firstBlock; block < endBlock; block++) {
            int blockId = batch.blockTables[table + block];
            operands.setB(arena.memory(blockId), arena.start(blockId) + keys, blockSize);
            for (int row = firstRow; row < endRow; row++) {
                if (block >= firstBlock(batchRows, row) && block * blockSize <= position(batchRows, row)) {
                    int scores = (row - firstRow) * groupSize * scratch.scoresStride;
                    operands.setA(query, headStart(row, kvHead), headDim);
                    operands.setC(scratch.scores, scores + block * blockSize - origin, scratch.scoresStride);
                    kernels.accumulate(operands, groupSize, headDim, blockSize);
                }
            }
        }
    }

    /** Turns a row's scores into weights and keeps their sums; clears the row's output. */
    private void weigh(BatchRows batchRows, int firstRow, int row, int kvHead, WorkerScratch scratch) {
        int position = position(batchRows, row);
        int origin = origin(batchRows, firstRow);
        for (int head = 0; head < groupSize; head++) {
            int index = (row - firstRow) * groupSize + head;
            scratch.sums[index] = kernels.softmaxWeights(
                    scratch.scores,
                    index * scratch.scoresStride,
                    windowStart(position) - origin,
                    position + 1 - origin,
                    spec.attentionScale(),
                    scratch.lanes);
        }
        int start = headStart(row, kvHead);
        Arrays.fill(output, start, start + groupSize * spec.headDim(), 0f);
    }

    /** Adds the weighted values of every position, in the positions' order for each row. */
    private void addValues(BatchRows batchRows, int firstRow, int endRow, int kvHead, WorkerScratch scratch) {
        Batch batch = batchRows.batch();
        int headDim = spec.headDim();
        int values = arena.layout().valueOffset(layer, kvHead);
        int table = batch.blockTableStart[batchRows.sequence(firstRow)];
        int origin = origin(batchRows, firstRow);
        int endBlock = position(batchRows, endRow - 1) / blockSize + 1;
        AttentionOperands operands = scratch.operands;
        for (int block = firstBlock(batchRows, firstRow); block < endBlock; block++) {
            int blockId = batch.blockTables[table + block];
            float[] memory = arena.memory(blockId);
            int blockValues = arena.start(blockId) + values;
            int blockStart = block * blockSize;
            for (int row = firstRow; row < endRow; row++) {
                int position = position(batchRows, row);
                int from = Math.max(windowStart(position), blockStart);
                int count = Math.min(position + 1, blockStart + blockSize) - from;
                if (count > 0) {
                    int weights = (row - firstRow) * groupSize * scratch.scoresStride;
                    operands.setB(memory, blockValues + (from - blockStart) * headDim, headDim);
                    operands.setA(scratch.scores, weights + from - origin, scratch.scoresStride);
                    operands.setC(output, headStart(row, kvHead), headDim);
                    kernels.accumulate(operands, groupSize, count, headDim);
                }
            }
        }
    }

    static void divide(float[] x, int start, int count, float divisor) {
        float factor = 1f / divisor;
        for (int i = start; i < start + count; i++) {
            x[i] *= factor;
        }
    }
}
