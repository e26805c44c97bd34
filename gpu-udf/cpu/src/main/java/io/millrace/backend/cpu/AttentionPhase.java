package io.millrace.backend.cpu;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cpu.kernel.AttentionOperands;
import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.engine.backend.Batch;
import io.millrace.model.ModelSpec;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Causal attention over paged keys and values. An item is one row and one key/value head, with all query heads that share
 * it.
 *
 * <p>What is computed, for each query head, is fixed by the row alone: a score for each position from the window's start
 * to its own, each one chain over the head's elements; weights exp(score - max), their sum in {@link Kernels#SUM_LANES}
 * partial sums by position; and each output element one chain over the positions in order, divided by the sum at the end.
 */
final class AttentionPhase implements ComputeTeam.Region {
    private final ComputeTeam team;
    private final Kernels kernels;
    private final WorkerScratch[] scratches;
    private final ModelSpec spec;
    private final KvArena arena;
    private final HeadPreparation heads;
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
        team.run(this, batchRows.count() * spec.kvHeadCount());
    }

    @Override
    public void run(int item, int worker) {
        BatchRows batchRows = requireNonNull(rows, "rows");
        int row = item / spec.kvHeadCount();
        int kvHead = item % spec.kvHeadCount();
        if (preparing) {
            heads.prepare(batchRows.tokenIndex(row), kvHead, scratches[worker].lanes);
        }
        attend(batchRows, row, kvHead, scratches[worker]);
    }

    private void attend(BatchRows batchRows, int row, int kvHead, WorkerScratch scratch) {
        Batch batch = batchRows.batch();
        int position = batch.positions[batchRows.tokenIndex(row)];
        int window = spec.isSliding(layer) ? spec.slidingWindow() : 0;
        int from = window > 0 ? Math.max(0, position - window + 1) : 0;
        int to = position + 1;
        int table = batch.blockTableStart[batchRows.sequence(row)];
        int firstBlock = from / blockSize;
        int endBlock = (to + blockSize - 1) / blockSize;
        // A multiple of the partial sums' number, so that a position's partial sum does not depend on the window.
        int origin = firstBlock * blockSize & -Kernels.SUM_LANES;
        int start = (row * spec.headCount() + kvHead * groupSize) * spec.headDim();
        score(batch, table, firstBlock, endBlock, origin, start, kvHead, scratch);
        for (int head = 0; head < groupSize; head++) {
            scratch.sums[head] = kernels.softmaxWeights(
                    scratch.scores,
                    head * scratch.scoresStride,
                    from - origin,
                    to - origin,
                    spec.attentionScale(),
                    scratch.lanes);
        }
        int headDim = spec.headDim();
        Arrays.fill(output, start, start + groupSize * headDim, 0f);
        addValues(batch, table, from, to, origin, start, kvHead, scratch);
        for (int head = 0; head < groupSize; head++) {
            divide(output, start + head * headDim, headDim, scratch.sums[head]);
        }
    }

    private void score(
            Batch batch,
            int table,
            int firstBlock,
            int endBlock,
            int origin,
            int queryStart,
            int kvHead,
            WorkerScratch scratch) {
        int headDim = spec.headDim();
        int keys = arena.layout().keyOffset(layer, kvHead);
        AttentionOperands operands = scratch.operands;
        operands.setA(query, queryStart, headDim);
        for (int head = 0; head < groupSize; head++) {
            int start = head * scratch.scoresStride;
            Arrays.fill(scratch.scores, start, start + endBlock * blockSize - origin, 0f);
        }
        for (int block = firstBlock; block < endBlock; block++) {
            operands.setB(arena.block(batch.blockTables[table + block]), keys, blockSize);
            operands.setC(scratch.scores, block * blockSize - origin, scratch.scoresStride);
            kernels.accumulate(operands, groupSize, headDim, blockSize);
        }
    }

    private void addValues(
            Batch batch, int table, int from, int to, int origin, int outputStart, int kvHead, WorkerScratch scratch) {
        int headDim = spec.headDim();
        int values = arena.layout().valueOffset(layer, kvHead);
        AttentionOperands operands = scratch.operands;
        operands.setC(output, outputStart, headDim);
        int position = from;
        while (position < to) {
            int block = position / blockSize;
            int end = Math.min(to, (block + 1) * blockSize);
            int start = values + position % blockSize * headDim;
            operands.setB(arena.block(batch.blockTables[table + block]), start, headDim);
            operands.setA(scratch.scores, position - origin, scratch.scoresStride);
            kernels.accumulate(operands, groupSize, end - position, headDim);
            position = end;
        }
    }

    private static void divide(float[] x, int start, int count, float divisor) {
        float factor = 1f / divisor;
        for (int i = start; i < start + count; i++) {
            x[i] *= factor;
        }
    }
}
