package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.backend.cpu.kernel.PackedMatrix;

/** The output matrix: one row of logits for each normalised row. An item is a run of tiles. */
final class LogitsPhase implements ComputeTeam.Region {
    private static final int ITEMS_OF_WORKER = 32;

    private final ComputeTeam team;
    private final Kernels kernels;
    private final WorkerScratch[] scratches;
    private final PackedMatrix matrix;
    private final float[] input;
    private final RowChunks chunks = new RowChunks();
    private final int tilesOfItem;
    private final int itemsOfChunk;
    private float[][] logits = {};

    LogitsPhase(ComputeTeam team, Kernels kernels, WorkerScratch[] scratches, PackedMatrix matrix, float[] input) {
        this.team = team;
        this.kernels = kernels;
        this.scratches = scratches;
        this.matrix = matrix;
        this.input = input;
        this.tilesOfItem = Math.max(1, matrix.tileCount() / (ITEMS_OF_WORKER * team.workerCount()));
        this.itemsOfChunk = (matrix.tileCount() + tilesOfItem - 1) / tilesOfItem;
    }

    /** Computes the logits of so many rows. */
    void run(int rowCount, float[][] output) {
        logits = output;
        chunks.reset(rowCount);
        team.run(this, itemsOfChunk * chunks.count());
    }

    @Override
    public void run(int item, int worker) {
        WorkerScratch scratch = scratches[worker];
        int width = matrix.columnCount();
        int lanes = matrix.tileLanes();
        int chunk = item / itemsOfChunk;
        int from = item % itemsOfChunk * tilesOfItem;
        int to = Math.min(from + tilesOfItem, matrix.tileCount());
        int start = chunks.start(chunk);
        int rows = chunks.rows(chunk);
        for (int tile = from; tile < to; tile++) {
            TileProducts.multiply(
                    kernels, matrix, tile, input, start * width, width, rows, scratch.tile, scratch.panel);
            for (int row = 0; row < rows; row++) {
                System.arraycopy(scratch.tile, row * lanes, logits[start + row], tile * lanes, matrix.tileRows(tile));
            }
        }
    }
}
