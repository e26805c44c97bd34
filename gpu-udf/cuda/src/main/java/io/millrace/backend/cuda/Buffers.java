package io.millrace.backend.cuda;

import io.millrace.backend.cuda.weights.FragmentLayout;
import io.millrace.backend.cuda.weights.OperandType;
import io.millrace.model.ModelSpec;

/**
 * The device memory that a step computes in. Fields are addresses; what a model does not need is 0. Operands of
 * products are in activation order ({@code layout.cuh}), their rows padded to 128 and their columns to 64; columns of
 * padding are zero from the start, and nobody writes them.
 */
final class Buffers {
    /** Scratch of attention over several splits of keys: more of it makes long contexts of many rows faster. */
    private static final long SCRATCH_BYTES_MAX = 64L << 20;

    private static final int SPLIT_TOKENS = 512;
    private static final int PLAN_HEADER_BYTES = 64;
    private static final int SAMPLE_MAX_BYTES = 8;
    private static final int SAMPLE_BEST_BYTES = 16;

    /** The step's numbers. */
    final long step;
    /** f32 {@code [row][width]}. */
    final long residual;
    /** Operand of what reads a normed residual. */
    final long normed;
    /** f32 {@code [row][feature]}: queries, keys and values before their norms. */
    final long heads;
    /** {@code [row][head][dim]}, of the operands' type. */
    final long query;
    /** Operand of the attention's output projection. */
    final long attended;
    /** Operand of the down projection. */
    final long inner;
    /** f32 {@code [row][width]}: what a norm follows. */
    final long projected;
    /** f32 {@code [logits row][vocabulary, padded to 16]}. */
    final long logits;
    /** {@code AttentionPlan} of full-attention layers. */
    final long plan;
    /** That of sliding-window layers. */
    final long slidingPlan;
    /** Slots of the scratch below. */
    final int slots;
    /** f32 {@code [slot][head][dim]}. */
    final long partials;
    /** f32 {@code [slot][head][2]}. */
    final long partialSums;
    /** {@code SampleMax} of each row and chunk. */
    final long sampleMaxima;
    /** {@code SampleBest} of each row and chunk. */
    final long sampleBests;
    /** i32 {@code [logits row]}, zero between steps. */
    final long sampleArrivals;
    /** i32 {@code [logits row]}: the tokens that were chosen. */
    final long sampledTokens;
    /** Columns of a row of logits. */
    final int logitsStride;

    final long byteCount;

    Buffers(ModelSpec spec, Limits limits, StepArrays arrays, long base) {
        DeviceRange range = new DeviceRange(base);
        long rows = FragmentLayout.roundUp(limits.maxBatchTokens(), FragmentLayout.ROW_PADDING);
        int queryWidth = spec.headCount() * spec.headDim();
        int features = FragmentLayout.paddedRows(queryWidth + 2 * spec.kvHeadCount() * spec.headDim());
        step = range.take(arrays.byteCount);
        residual = range.take(rows * spec.embeddingLength() * Float.BYTES);
        normed = operand(range, rows, spec.embeddingLength());
        heads = spec.queryKeyNorm() ? range.take(rows * features * Float.BYTES) : 0;
        query = range.take(rows * queryWidth * OperandType.BYTES);
        attended = operand(range, rows, queryWidth);
        inner = operand(range, rows, spec.feedForwardLength());
        projected = spec.postNorms() ? range.take(rows * spec.embeddingLength() * Float.BYTES) : 0;
        logitsStride = FragmentLayout.paddedRows(spec.vocabSize());
        logits = range.take((long) limits.maxLogitsRows() * logitsStride * Float.BYTES);
        long planBytes = PLAN_HEADER_BYTES + 4L * Integer.BYTES * (limits.maxBatchSequences() + 1);
        plan = range.take(planBytes);
        slidingPlan = spec.slidingWindow() > 0 ? range.take(planBytes) : 0;
        slots = slots(spec, limits);
        partials = range.take((long) slots * queryWidth * Float.BYTES);
        partialSums = range.take(2L * slots * spec.headCount() * Float.BYTES);
        long chunks = (long) limits.maxLogitsRows() * Kernels.SAMPLE_CHUNKS_MAX;
        sampleMaxima = range.take(chunks * SAMPLE_MAX_BYTES);
        sampleBests = range.take(chunks * SAMPLE_BEST_BYTES);
        sampleArrivals = range.take((long) limits.maxLogitsRows() * Integer.BYTES);
        sampledTokens = range.take((long) limits.maxLogitsRows() * Integer.BYTES);
        byteCount = range.byteCount();
    }

    private static long operand(DeviceRange range, long rows, int columns) {
        return range.take(rows * FragmentLayout.paddedColumns(columns) * OperandType.BYTES);
    }

    /** As many as rows of decode and splits of the longest context can be, if that is not too much. */
    private static int slots(ModelSpec spec, Limits limits) {
        long splits = (limits.maxModelTokens() + SPLIT_TOKENS - 1) / SPLIT_TOKENS;
        long rows = Math.min(limits.maxBatchTokens(), (long) limits.maxBatchSequences() * ForwardPass.decodeRows(spec));
        long slotBytes = (long) spec.headCount() * (spec.headDim() + 2) * Float.BYTES;
        return (int) Math.max(splits, Math.min(rows * splits, SCRATCH_BYTES_MAX / slotBytes));
    }
}
