package io.millrace.backend.cpu;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cpu.kernel.MatrixPacker;
import io.millrace.backend.cpu.kernel.PackedMatrix;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.model.Dequantizer;
import io.millrace.model.GgufModel;
import io.millrace.model.GgufTensor;
import io.millrace.model.ModelSpec;
import io.millrace.model.ModelTensors;
import java.util.ArrayList;
import java.util.List;

/** Reads a model's weights from its file and repacks its matrices for the kernels, on all compute threads. */
final class WeightLoader {
    private static final float[] NONE = {};

    private final GgufModel model;
    private final ModelSpec spec;
    private final int tileLanes;
    private final ComputeTeam team;

    WeightLoader(GgufModel model, int tileLanes, ComputeTeam team) {
        this.model = requireNonNull(model, "model");
        this.spec = model.spec();
        this.tileLanes = tileLanes;
        this.team = requireNonNull(team, "team");
    }

    /** Reads everything. */
    DecoderWeights load() {
        List<LayerWeights> layers = new ArrayList<>();
        for (int layer = 0; layer < spec.layerCount(); layer++) {
            layers.add(loadLayer(layer));
        }
        return new DecoderWeights(
                model.tensor(ModelTensors.EMBEDDING),
                List.copyOf(layers),
                vector(ModelTensors.OUTPUT_NORM),
                matrix(spec.tiedOutput() ? ModelTensors.EMBEDDING : ModelTensors.OUTPUT));
    }

    private LayerWeights loadLayer(int layer) {
        boolean bias = spec.attentionBias();
        boolean headNorms = spec.queryKeyNorm();
        boolean postNorms = spec.postNorms();
        return new LayerWeights(
                vector(name(layer, "attn_norm.weight")),
                matrix(name(layer, "attn_q.weight")),
                matrix(name(layer, "attn_k.weight")),
                matrix(name(layer, "attn_v.weight")),
                bias ? vector(name(layer, "attn_q.bias")) : NONE,
                bias ? vector(name(layer, "attn_k.bias")) : NONE,
                bias ? vector(name(layer, "attn_v.bias")) : NONE,
                headNorms ? vector(name(layer, "attn_q_norm.weight")) : NONE,
                headNorms ? vector(name(layer, "attn_k_norm.weight")) : NONE,
                matrix(name(layer, "attn_output.weight")),
                postNorms ? vector(name(layer, "post_attention_norm.weight")) : NONE,
                vector(name(layer, "ffn_norm.weight")),
                matrix(name(layer, "ffn_gate.weight")),
                matrix(name(layer, "ffn_up.weight")),
                matrix(name(layer, "ffn_down.weight")),
                postNorms ? vector(name(layer, "post_ffw_norm.weight")) : NONE);
    }

    private static String name(int layer, String part) {
        return ModelTensors.layer(layer, part);
    }

    private float[] vector(String name) {
        GgufTensor tensor = model.tensor(name);
        float[] values = new float[Math.toIntExact(tensor.elementCount())];
        int rowLength = Math.toIntExact(tensor.rowLength());
        for (int row = 0; row < tensor.rowCount(); row++) {
            Dequantizer.dequantizeRow(tensor, row, values, row * rowLength);
        }
        return values;
    }

    private PackedMatrix matrix(String name) {
        GgufTensor tensor = model.tensor(name);
        PackedMatrix matrix;
        try {
            matrix = MatrixPacker.allocate(tensor, tileLanes);
        } catch (IllegalArgumentException e) {
            throw new ServingException(
                    ErrorCode.MODEL_FILE_INVALID, model.file() + ": tensor " + tensor + ": " + e.getMessage(), e);
        }
        team.run((tile, worker) -> MatrixPacker.packTiles(tensor, matrix, tile, tile + 1), matrix.tileCount());
        return matrix;
    }
}
