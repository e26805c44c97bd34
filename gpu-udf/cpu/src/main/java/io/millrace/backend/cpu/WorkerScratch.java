package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.AttentionOperands;
import io.millrace.backend.cpu.kernel.Kernels;

/** What one worker needs besides inputs and outputs; allocated once. */
final class WorkerScratch {
    /** Outputs of one tile for a chunk of rows: {@code [row][lane]}. */
    final float[] tile;

    /** Those of a second tile, for the feed-forward's gate and up. */
    final float[] secondTile;

    /** Unpacked columns of a tile. */
    final float[] panel;

    /** Attention scores: {@code [row of the run][query head of the group][position]}. */
    final float[] scores;

    /** Positions of a row of {@code scores}. */
    final int scoresStride;

    /** Sums of attention weights, one for each row of the run and query head of the group. */
    final float[] sums;

    /** Partial sums. */
    final float[] lanes = new float[Kernels.SUM_LANES];

    final AttentionOperands operands = new AttentionOperands();

    WorkerScratch(int tileLanes, int queryHeadsOfGroup, int positionsMax, int blockSizeTokens) {
        tile = new float[TileProducts.ROWS_MAX * tileLanes];
        secondTile = new float[TileProducts.ROWS_MAX * tileLanes];
        panel = new float[TileProducts.PANEL_COLUMNS_MAX * tileLanes];
        int lanesMask = -Kernels.SUM_LANES;
        scoresStride = (positionsMax + blockSizeTokens + 2 * Kernels.SUM_LANES) & lanesMask;
        scores = new float[Math.multiplyExact(BatchRows.GROUP_ROWS * queryHeadsOfGroup, scoresStride)];
        sums = new float[BatchRows.GROUP_ROWS * queryHeadsOfGroup];
    }
}
