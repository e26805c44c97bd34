package io.millrace.backend.cpu;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.backend.cpu.kernel.PackedMatrix;
import io.millrace.model.ModelSpec.Activation;
import org.jspecify.annotations.Nullable;

/** The feed-forward's first half: activation(gate x) * (up x). An item is the same tile of both for a chunk of rows. */
final class GatePhase implements ComputeTeam.Region {
    private final ComputeTeam team;
    private final Kernels kernels;
    private final WorkerScratch[] scratches;
    private final Activation activation;
    private final Activations activations;
    private final RowChunks chunks = new RowChunks();
    private @Nullable LayerWeights layer;

    GatePhase(
            ComputeTeam team,
            Kernels kernels,
            WorkerScratch[] scratches,
            Activation activation,
            Activations activations) {
        this.team = team;
        this.kernels = kernels;
        this.scratches = scratches;
        this.activation = activation;
        this.activations = activations;
    }

    /** Computes {@code inner} from {@code normed} for so many rows. */
    void run(LayerWeights weights, int rowCount) {
        layer = weights;
        chunks.reset(rowCount);
        team.run(this, weights.gate().tileCount() * chunks.count());
    }

    @Override
    public void run(int item, int worker) {
        LayerWeights weights = requireNonNull(layer, "layer");
        PackedMatrix gate = weights.gate();
        WorkerScratch scratch = scratches[worker];
        int tile = item % gate.tileCount();
        int chunk = item / gate.tileCount();
        int start = chunks.start(chunk);
        int rows = chunks.rows(chunk);
        multiply(gate, tile, start, rows, scratch, scratch.tile);
        multiply(weights.up(), tile, start, rows, scratch, scratch.secondTile);
        int lanes = gate.tileLanes();
        kernels.activate(activation, scratch.tile, scratch.secondTile, rows * lanes);
        for (int row = 0; row < rows; row++) {
            int to = (start + row) * activations.innerWidth + tile * lanes;
            System.arraycopy(scratch.tile, row * lanes, activations.inner, to, gate.tileRows(tile));
        }
    }

    private void multiply(PackedMatrix matrix, int tile, int start, int rows, WorkerScratch scratch, float[] output) {
        int width = activations.width;
        TileProducts.multiply(
                kernels, matrix, tile, activations.normed, start * width, width, rows, output, scratch.panel);
    }
}
