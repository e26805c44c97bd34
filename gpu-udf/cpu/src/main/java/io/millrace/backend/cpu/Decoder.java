package io.millrace.backend.cpu;

import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.backend.cpu.kernel.PackedMatrix;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.model.Dequantizer;
import io.millrace.model.ModelSpec;

/**
 * The decoder-only transformer that a {@link ModelSpec} describes: runs a batch's tokens through all layers together.
 * Everything it needs is allocated when it is made.
 */
final class Decoder {
    private static final float[] NO_BIAS = {};

    private final ModelSpec spec;
    private final DecoderWeights weights;
    private final Activations activations;
    private final BatchRows rows;
    private final NormPhase norms;
    private final ProjectionPhase projections;
    private final HeadPreparation heads;
    private final AttentionPhase attention;
    private final GatePhase gates;
    private final LogitsPhase logits;

    Decoder(InstanceSpec instance, DecoderWeights weights, KvArena arena, ComputeTeam team, Kernels kernels) {
        this.spec = instance.model().spec();
        this.weights = weights;
        int logitsRowsMax = Math.min(instance.maxLogitsRows(), instance.maxBatchTokens());
        this.activations = new Activations(spec, instance.maxBatchTokens(), logitsRowsMax);
        this.rows = new BatchRows(instance.maxBatchTokens());
        WorkerScratch[] scratches = new WorkerScratch[team.workerCount()];
        for (int i = 0; i < scratches.length; i++) {
            scratches[i] = new WorkerScratch(
                    kernels.tileLanes(),
                    spec.headCount() / spec.kvHeadCount(),
                    instance.maxModelTokens(),
                    instance.blockSizeTokens());
        }
        this.norms = new NormPhase(team, kernels, scratches, spec.rmsNormEpsilon());
        this.projections = new ProjectionPhase(team, kernels, scratches);
        this.heads = new HeadPreparation(team, kernels, scratches, spec, arena, activations, instance.maxModelTokens());
        this.attention = new AttentionPhase(team, kernels, scratches, spec, arena, heads);
        this.gates = new GatePhase(team, kernels, scratches, spec.activation(), activations);
        this.logits = new LogitsPhase(team, kernels, scratches, weights.output(), activations.normed);
    }

    /** Runs a batch. */
    void run(Batch batch, ForwardResult result) {
        if (batch.tokenCount == 0) {
            return;
        }
        rows.selectAll(batch);
        embed(batch);
        int lastLayer = spec.layerCount() - 1;
        for (int layer = 0; layer < lastLayer; layer++) {
            computeKeys(batch, layer);
            boolean separate = !rows.isOneTokenEach();
            if (separate) {
                heads.run();
            }
            finishLayer(layer, activations.residual, activations.query, !separate);
        }
        runLastLayer(batch, lastLayer, result);
    }

    /** From the last layer's keys on, only the rows whose logits are wanted matter. */
    private void runLastLayer(Batch batch, int layer, ForwardResult result) {
        computeKeys(batch, layer);
        heads.run();
        float[] residual = activations.residual;
        float[] query = activations.query;
        if (!rows.isAllLogitsRows()) {
            rows.selectLogitsRows();
            residual = activations.lastResidual;
            query = activations.lastQuery;
            selectRows(activations.residual, residual, activations.width);
            selectRows(activations.query, query, activations.queryWidth);
        }
        if (rows.count() > 0) {
            finishLayer(layer, residual, query, false);
            norms.normalize(residual, activations.normed, weights.outputNorm(), rows.count());
            logits.run(rows.count(), result.logits);
        }
    }

    private void selectRows(float[] from, float[] to, int width) {
        for (int row = 0; row < rows.count(); row++) {
            System.arraycopy(from, rows.tokenIndex(row) * width, to, row * width, width);
        }
    }

    private void embed(Batch batch) {
        int width = activations.width;
        for (int token = 0; token < batch.tokenCount; token++) {
            Dequantizer.dequantizeRow(weights.embedding(), batch.tokenIds[token], activations.residual, token * width);
        }
        float scale = spec.embeddingScale();
        if (scale != 1f) {
            for (int i = 0; i < batch.tokenCount * width; i++) {
                activations.residual[i] *= scale;
            }
        }
    }

    /** Norm and projections before attention, for all tokens. */
    private void computeKeys(Batch batch, int layer) {
        LayerWeights layerWeights = weights.layers().get(layer);
        norms.normalize(activations.residual, activations.normed, layerWeights.attentionNorm(), batch.tokenCount);
        projections.begin(activations.normed, activations.width, false);
        projections.target(layerWeights.query(), activations.query, layerWeights.queryBias());
        projections.target(layerWeights.key(), activations.key, layerWeights.keyBias());
        projections.target(layerWeights.value(), activations.value, layerWeights.valueBias());
        projections.run(batch.tokenCount);
        heads.begin(batch, layerWeights, layer);
    }

    /** Attention and feed-forward, for the selected rows. */
    private void finishLayer(int layer, float[] residual, float[] query, boolean prepare) {
        LayerWeights layerWeights = weights.layers().get(layer);
        attention.run(rows, layer, query, activations.attended, prepare);
        projections.begin(activations.attended, activations.queryWidth, !spec.postNorms());
        project(layerWeights.attentionOutput(), layerWeights.postAttentionNorm(), residual);
        norms.normalize(residual, activations.normed, layerWeights.feedForwardNorm(), rows.count());
        gates.run(layerWeights, rows.count());
        projections.begin(activations.inner, activations.innerWidth, !spec.postNorms());
        project(layerWeights.down(), layerWeights.postFeedForwardNorm(), residual);
    }

    /** Projects back to the residual stream: added at once, or after a norm where the model has one. */
    private void project(PackedMatrix matrix, float[] postNorm, float[] residual) {
        if (spec.postNorms()) {
            projections.target(matrix, activations.projected, NO_BIAS);
            projections.run(rows.count());
            norms.normalizeAndAdd(activations.projected, residual, postNorm, rows.count());
        } else {
            projections.target(matrix, residual, NO_BIAS);
            projections.run(rows.count());
        }
    }
}
