package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.backend.cpu.kernel.PackedMatrix;

/**
 * Products of all rows with one matrix, or with several that have the same input. An item is a few tiles of a chunk of
 * rows; its results are stored, or added to what is there.
 */
final class ProjectionPhase implements ComputeTeam.Region {
    /** Enough for query, key and value. */
    private static final int TARGETS_MAX = 3;

    /** Items of one worker: more balance better, fewer cost less claiming. */
    private static final int ITEMS_OF_WORKER = 32;

    private final ComputeTeam team;
    private final Kernels kernels;
    private final WorkerScratch[] scratches;
    private final RowChunks chunks = new RowChunks();
    private final PackedMatrix[] matrices = new PackedMatrix[TARGETS_MAX];
    private final float[][] outputs = new float[TARGETS_MAX][];
    private final float[][] biases = new float[TARGETS_MAX][];

    private int targetCount;
    private int tileCount;
    private int tilesOfItem;
    private int itemsOfChunk;
    private float[] input = {};
    private int inputWidth;
    private boolean adding;

    ProjectionPhase(ComputeTeam team, Kernels kernels, WorkerScratch[] scratches) {
        this.team = team;
        this.kernels = kernels;
        this.scratches = scratches;
    }

    /** Begins a phase whose inputs are rows of {@code width}. */
    void begin(float[] rows, int width, boolean add) {
        input = rows;
        inputWidth = width;
        adding = add;
        targetCount = 0;
        tileCount = 0;
    }

    /** Adds a matrix; {@code bias} may be empty. */
    void target(PackedMatrix matrix, float[] output, float[] bias) {
        matrices[targetCount] = matrix;
        outputs[targetCount] = output;
        biases[targetCount] = bias;
        targetCount++;
        tileCount += matrix.tileCount();
    }

    /** Computes all targets for so many rows. */
    void run(int rowCount) {
        chunks.reset(rowCount);
        tilesOfItem = Math.max(1, tileCount * chunks.count() / (ITEMS_OF_WORKER * team.workerCount()));
        itemsOfChunk = (tileCount + tilesOfItem - 1) / tilesOfItem;
        team.run(this, itemsOfChunk * chunks.count());
    }

    @Override
    public void run(int item, int worker) {
        int chunk = item / itemsOfChunk;
        int from = item % itemsOfChunk * tilesOfItem;
        int to = Math.min(from + tilesOfItem, tileCount);
        for (int tile = from; tile < to; tile++) {
            int target = 0;
            int tileOfTarget = tile;
            while (tileOfTarget >= matrices[target].tileCount()) {
                tileOfTarget -= matrices[target].tileCount();
                target++;
            }
            computeTile(target, tileOfTarget, chunk, scratches[worker]);
        }
    }

    private void computeTile(int target, int tile, int chunk, WorkerScratch scratch) {
        PackedMatrix matrix = matrices[target];
        int start = chunks.start(chunk);
        int rows = chunks.rows(chunk);
        TileProducts.multiply(
                kernels, matrix, tile, input, start * inputWidth, inputWidth, rows, scratch.tile, scratch.panel);
        int lanes = matrix.tileLanes();
        int count = matrix.tileRows(tile);
        float[] output = outputs[target];
        float[] bias = biases[target];
        for (int row = 0; row < rows; row++) {
            int to = (start + row) * matrix.rowCount() + tile * lanes;
            if (adding) {
                add(scratch.tile, row * lanes, output, to, count);
            } else {
                System.arraycopy(scratch.tile, row * lanes, output, to, count);
            }
            if (bias.length > 0) {
                add(bias, tile * lanes, output, to, count);
            }
        }
    }

    private static void add(float[] from, int start, float[] to, int toStart, int count) {
        for (int i = 0; i < count; i++) {
            to[toStart + i] += from[start + i];
        }
    }
}
