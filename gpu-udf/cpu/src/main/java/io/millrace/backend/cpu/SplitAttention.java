package io.millrace.backend.cpu;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cpu.kernel.AttentionOperands;
import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.engine.backend.Batch;
import io.millrace.model.ModelSpec;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Attention of a single row with a long context, cut finer than {@link AttentionPhase} cuts it, so that all workers
 * have something to do: scores by runs of blocks, weights by query head, outputs by runs of elements. Every score,
 * weight and output element is computed as there, in the same order, so the bits are the same.
 */
final class SplitAttention implements ComputeTeam.Region {
    /** Positions from which cutting finer costs less than it gains. */
    static final int POSITIONS_MIN = 256;

    /** Elements of a head that one item computes: at least what the kernels take at once. */
    private static final int DIMS_OF_ITEM = 32;

    private static final int ITEMS_OF_WORKER = 4;

    private enum Step {
        SCORES,
        WEIGHTS,
        VALUES
    }

    private final ComputeTeam team;
    private final Kernels kernels;
    private final WorkerScratch[] scratches;
    private final ModelSpec spec;
    private final KvArena arena;
    private final int groupSize;
    private final int blockSize;
    private final int dimsOfItem;
    private final int stride;
    private final float[] scores;
    private final float[] sums;

    private @Nullable BatchRows rows;
    private float[] query = {};
    private float[] output = {};
    private int layer;
    private Step step = Step.SCORES;
    private int from;
    private int to;
    private int origin;
    private int blocksOfItem;

    SplitAttention(ComputeTeam team, Kernels kernels, WorkerScratch[] scratches, ModelSpec spec, KvArena arena) {
        this.team = team;
        this.kernels = kernels;
        this.scratches = scratches;
        this.spec = spec;
        this.arena = arena;
        this.groupSize = spec.headCount() / spec.kvHeadCount();
        this.blockSize = arena.layout().blockSizeTokens();
        this.dimsOfItem = spec.headDim() % DIMS_OF_ITEM == 0 ? DIMS_OF_ITEM : spec.headDim();
        this.stride = scratches[0].scoresStride;
        this.scores = new float[Math.multiplyExact(spec.headCount(), stride)];
        this.sums = new float[spec.headCount()];
    }

    /** Whether it is worth its barriers: for one row, several workers, and {@code positions} to attend to. */
    boolean isWorthwhile(int rowCount, int positions) {
        return rowCount == 1 && team.workerCount() > 1 && positions >= POSITIONS_MIN;
    }

    /** Attends with the only row to positions {@code windowStart} to {@code position}. */
    void run(BatchRows batchRows, int layerIndex, int windowStart, int position, float[] queries, float[] outputs) {
        rows = batchRows;
        layer = layerIndex;
        query = queries;
        output = outputs;
        from = windowStart;
        to = position + 1;
        origin = from / blockSize * blockSize & -Kernels.SUM_LANES;
        int blocks = endBlock() - from / blockSize;
        int itemsOfHead = Math.max(1, ITEMS_OF_WORKER * team.workerCount() / spec.kvHeadCount());
        blocksOfItem = (blocks + itemsOfHead - 1) / itemsOfHead;
        step = Step.SCORES;
        team.run(this, spec.kvHeadCount() * scoreItemsOfHead());
        step = Step.WEIGHTS;
        team.run(this, spec.headCount());
        step = Step.VALUES;
        team.run(this, spec.kvHeadCount() * (spec.headDim() / dimsOfItem));
    }

    private int endBlock() {
        return (to + blockSize - 1) / blockSize;
    }

    private int scoreItemsOfHead() {
        return (endBlock() - from / blockSize + blocksOfItem - 1) / blocksOfItem;
    }

    @Override
    public void run(int item, int worker) {
        WorkerScratch scratch = scratches[worker];
        switch (step) {
            case SCORES -> score(item / scoreItemsOfHead(), item % scoreItemsOfHead(), scratch.operands);
            case WEIGHTS ->
                sums[item] = kernels.softmaxWeights(
                        scores, item * stride, from - origin, to - origin, spec.attentionScale(), scratch.lanes);
            case VALUES ->
                addValues(item % spec.kvHeadCount(), item / spec.kvHeadCount() * dimsOfItem, scratch.operands);
        }
    }

    private int blockId(int block) {
        BatchRows batchRows = requireNonNull(rows, "rows");
        Batch batch = batchRows.batch();
        return batch.blockTables[batch.blockTableStart[batchRows.sequence(0)] + block];
    }

    private void score(int kvHead, int part, AttentionOperands operands) {
        int headDim = spec.headDim();
        int firstHead = kvHead * groupSize;
        int firstBlock = from / blockSize + part * blocksOfItem;
        int end = Math.min(firstBlock + blocksOfItem, endBlock());
        for (int head = firstHead; head < firstHead + groupSize; head++) {
            int start = head * stride - origin;
            Arrays.fill(scores, start + firstBlock * blockSize, start + end * blockSize, 0f);
        }
        operands.setA(query, firstHead * headDim, headDim);
        for (int block = firstBlock; block < end; block++) {
            int keys = arena.start(blockId(block)) + arena.layout().keyOffset(layer, kvHead);
            operands.setB(arena.memory(blockId(block)), keys, blockSize);
            operands.setC(scores, firstHead * stride + block * blockSize - origin, stride);
            kernels.accumulate(operands, groupSize, headDim, blockSize);
        }
    }

    private void addValues(int kvHead, int dim, AttentionOperands operands) {
        int headDim = spec.headDim();
        int firstHead = kvHead * groupSize;
        int values = arena.layout().valueOffset(layer, kvHead) + dim;
        for (int head = firstHead; head < firstHead + groupSize; head++) {
            Arrays.fill(output, head * headDim + dim, head * headDim + dim + dimsOfItem, 0f);
        }
        operands.setC(output, firstHead * headDim + dim, headDim);
        int position = from;
        while (position < to) {
            int block = position / blockSize;
            int end = Math.min(to, (block + 1) * blockSize);
            int start = arena.start(blockId(block)) + values + position % blockSize * headDim;
            operands.setB(arena.memory(blockId(block)), start, headDim);
            operands.setA(scores, firstHead * stride + position - origin, stride);
            kernels.accumulate(operands, groupSize, end - position, dimsOfItem);
            position = end;
        }
        for (int head = firstHead; head < firstHead + groupSize; head++) {
            AttentionPhase.divide(output, head * headDim + dim, dimsOfItem, sums[head]);
        }
    }
}
