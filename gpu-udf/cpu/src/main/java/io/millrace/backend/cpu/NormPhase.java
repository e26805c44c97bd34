package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.Kernels;

/** RMSNorm of every row, into another array or added to the residual stream. An item is a few rows. */
final class NormPhase implements ComputeTeam.Region {
    private static final int ROWS_OF_ITEM = 8;

    private final ComputeTeam team;
    private final Kernels kernels;
    private final WorkerScratch[] scratches;
    private final float epsilon;
    private float[] input = {};
    private float[] output = {};
    private float[] weight = {};
    private boolean adding;
    private int rowCount;

    NormPhase(ComputeTeam team, Kernels kernels, WorkerScratch[] scratches, float epsilon) {
        this.team = team;
        this.kernels = kernels;
        this.scratches = scratches;
        this.epsilon = epsilon;
    }

    /** Sets each row of {@code to} to the norm of that of {@code from}. */
    void normalize(float[] from, float[] to, float[] weights, int rows) {
        start(from, to, weights, rows, false);
    }

    /** Adds the norm of each row of {@code from}, which is overwritten, to that of {@code to}. */
    void normalizeAndAdd(float[] from, float[] to, float[] weights, int rows) {
        start(from, to, weights, rows, true);
    }

    private void start(float[] from, float[] to, float[] weights, int rows, boolean add) {
        input = from;
        output = to;
        weight = weights;
        rowCount = rows;
        adding = add;
        team.run(this, (rows + ROWS_OF_ITEM - 1) / ROWS_OF_ITEM);
    }

    @Override
    public void run(int item, int worker) {
        int width = weight.length;
        int end = Math.min(rowCount, (item + 1) * ROWS_OF_ITEM);
        float[] lanes = scratches[worker].lanes;
        for (int row = item * ROWS_OF_ITEM; row < end; row++) {
            int start = row * width;
            if (adding) {
                RmsNorm.apply(kernels, input, start, weight, epsilon, input, start, lanes);
                for (int i = start; i < start + width; i++) {
                    output[i] += input[i];
                }
            } else {
                RmsNorm.apply(kernels, input, start, weight, epsilon, output, start, lanes);
            }
        }
    }
}
