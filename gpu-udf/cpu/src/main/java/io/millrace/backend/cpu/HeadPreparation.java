package io.millrace.backend.cpu;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.engine.backend.Batch;
import io.millrace.model.ModelSpec;
import org.jspecify.annotations.Nullable;

/**
 * What happens to queries, keys and values before attention: norms of heads where the model has them, the rotation, and
 * writing key and value to the token's slot. As a region, an item is a few rows.
 */
final class HeadPreparation implements ComputeTeam.Region {
    private static final int ROWS_OF_ITEM = 8;

    private final ComputeTeam team;
    private final Kernels kernels;
    private final WorkerScratch[] scratches;
    private final ModelSpec spec;
    private final KvArena arena;
    private final RopeTable rope;
    private final RopeTable slidingRope;
    private final Activations activations;
    private final int groupSize;

    private @Nullable Batch batch;
    private @Nullable LayerWeights weights;
    private int layer;

    HeadPreparation(
            ComputeTeam team,
            Kernels kernels,
            WorkerScratch[] scratches,
            ModelSpec spec,
            KvArena arena,
            Activations activations,
            int positionsMax) {
        this.team = team;
        this.kernels = kernels;
        this.scratches = scratches;
        this.spec = spec;
        this.arena = arena;
        this.rope = new RopeTable(spec.rope(), positionsMax);
        this.slidingRope = spec.slidingWindow() > 0 ? new RopeTable(spec.slidingRope(), positionsMax) : rope;
        this.activations = activations;
        this.groupSize = spec.headCount() / spec.kvHeadCount();
    }

    /** Says which layer of which batch the following calls are for. */
    void begin(Batch next, LayerWeights layerWeights, int layerIndex) {
        batch = next;
        weights = layerWeights;
        layer = layerIndex;
    }

    /** Prepares all heads of all tokens. */
    void run() {
        int tokens = requireNonNull(batch, "batch").tokenCount;
        team.run(this, (tokens + ROWS_OF_ITEM - 1) / ROWS_OF_ITEM);
    }

    @Override
    public void run(int item, int worker) {
        int end = Math.min(requireNonNull(batch, "batch").tokenCount, (item + 1) * ROWS_OF_ITEM);
        for (int token = item * ROWS_OF_ITEM; token < end; token++) {
            for (int kvHead = 0; kvHead < spec.kvHeadCount(); kvHead++) {
                prepare(token, kvHead, scratches[worker].lanes);
            }
        }
    }

    /** Prepares one token's key/value head and the query heads that share it. */
    void prepare(int token, int kvHead, float[] lanes) {
        Batch current = requireNonNull(batch, "batch");
        LayerWeights layerWeights = requireNonNull(weights, "weights");
        int headDim = spec.headDim();
        int position = current.positions[token];
        RopeTable table = spec.isSliding(layer) ? slidingRope : rope;
        for (int head = kvHead * groupSize; head < (kvHead + 1) * groupSize; head++) {
            int start = token * activations.queryWidth + head * headDim;
            normalizeAndRotate(activations.query, start, layerWeights.queryNorm(), table, position, lanes);
        }
        int start = token * activations.keyWidth + kvHead * headDim;
        normalizeAndRotate(activations.key, start, layerWeights.keyNorm(), table, position, lanes);
        arena.store(current.slotMapping[token], layer, kvHead, activations.key, start, activations.value, start);
    }

    private void normalizeAndRotate(float[] x, int start, float[] norm, RopeTable table, int position, float[] lanes) {
        if (norm.length > 0) {
            RmsNorm.apply(kernels, x, start, norm, spec.rmsNormEpsilon(), x, start, lanes);
        }
        table.rotate(x, start, position);
    }
}
