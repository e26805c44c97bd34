package io.millrace.backend.cpu;

import io.millrace.model.Dequantizer;
import io.millrace.model.GgufModel;
import io.millrace.model.GgufTensor;
import io.millrace.model.ModelSpec;
import io.millrace.model.ModelSpec.Activation;
import io.millrace.model.ModelSpec.Rope;
import io.millrace.model.ModelSpec.RopeStyle;
import io.millrace.model.ModelTensors;
import java.util.Arrays;

/**
 * The decoder written down as plainly as it can be: double precision, one token at a time over the whole prompt, no
 * cache, nothing shared with the code it checks.
 */
final class ReferenceDecoder {
    private final GgufModel model;
    private final ModelSpec spec;

    ReferenceDecoder(GgufModel model) {
        this.model = model;
        this.spec = model.spec();
    }

    /** Logits after the last token. */
    double[] logits(int[] tokens) {
        int count = tokens.length;
        double[][] x = new double[count][];
        double[][] embedding = matrix(ModelTensors.EMBEDDING);
        for (int t = 0; t < count; t++) {
            x[t] = embedding[tokens[t]].clone();
            for (int i = 0; i < x[t].length; i++) {
                x[t][i] *= spec.embeddingScale();
            }
        }
        for (int layer = 0; layer < spec.layerCount(); layer++) {
            attend(x, layer);
            feedForward(x, layer);
        }
        double[] last = norm(x[count - 1], vector(ModelTensors.OUTPUT_NORM));
        return multiply(spec.tiedOutput() ? embedding : matrix(ModelTensors.OUTPUT), last);
    }

    private void attend(double[][] x, int layer) {
        int count = x.length;
        int headDim = spec.headDim();
        int group = spec.headCount() / spec.kvHeadCount();
        boolean sliding = spec.isSliding(layer);
        Rope rope = sliding ? spec.slidingRope() : spec.rope();
        double[][][] queries = new double[count][][];
        double[][][] keys = new double[count][][];
        double[][][] values = new double[count][][];
        for (int t = 0; t < count; t++) {
            double[] normed = norm(x[t], vector(layer, "attn_norm.weight"));
            queries[t] = heads(layer, "attn_q", normed, spec.headCount());
            keys[t] = heads(layer, "attn_k", normed, spec.kvHeadCount());
            values[t] = heads(layer, "attn_v", normed, spec.kvHeadCount());
            turn(queries[t], layer, "attn_q_norm.weight", rope, t);
            turn(keys[t], layer, "attn_k_norm.weight", rope, t);
        }
        for (int t = 0; t < count; t++) {
            double[] output = new double[spec.headCount() * headDim];
            int from = sliding ? Math.max(0, t - spec.slidingWindow() + 1) : 0;
            for (int head = 0; head < spec.headCount(); head++) {
                double[] weights = new double[t + 1];
                double sum = 0;
                for (int s = from; s <= t; s++) {
                    double dot = 0;
                    for (int d = 0; d < headDim; d++) {
                        dot += queries[t][head][d] * keys[s][head / group][d];
                    }
                    weights[s] = Math.exp(dot * spec.attentionScale());
                    sum += weights[s];
                }
                for (int s = from; s <= t; s++) {
                    for (int d = 0; d < headDim; d++) {
                        output[head * headDim + d] += weights[s] / sum * values[s][head / group][d];
                    }
                }
            }
            addTo(x[t], multiply(matrix(layer, "attn_output.weight"), output), layer, "post_attention_norm.weight");
        }
    }

    private void feedForward(double[][] x, int layer) {
        double[][] gate = matrix(layer, "ffn_gate.weight");
        double[][] up = matrix(layer, "ffn_up.weight");
        double[][] down = matrix(layer, "ffn_down.weight");
        for (int t = 0; t < x.length; t++) {
            double[] normed = norm(x[t], vector(layer, "ffn_norm.weight"));
            double[] inner = multiply(gate, normed);
            double[] factor = multiply(up, normed);
            for (int i = 0; i < inner.length; i++) {
                inner[i] = activation(inner[i]) * factor[i];
            }
            addTo(x[t], multiply(down, inner), layer, "post_ffw_norm.weight");
        }
    }

    private double activation(double z) {
        if (spec.activation() == Activation.SILU) {
            return z / (1 + Math.exp(-z));
        }
        return 0.5 * z * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (z + 0.044715 * z * z * z)));
    }

    private void addTo(double[] x, double[] change, int layer, String postNorm) {
        double[] added = spec.postNorms() ? norm(change, vector(layer, postNorm)) : change;
        for (int i = 0; i < x.length; i++) {
            x[i] += added[i];
        }
    }

    private double[][] heads(int layer, String part, double[] normed, int headCount) {
        double[] all = multiply(matrix(layer, part + ".weight"), normed);
        if (spec.attentionBias()) {
            double[] bias = vector(layer, part + ".bias");
            for (int i = 0; i < all.length; i++) {
                all[i] += bias[i];
            }
        }
        double[][] heads = new double[headCount][];
        Arrays.setAll(heads, h -> Arrays.copyOfRange(all, h * spec.headDim(), (h + 1) * spec.headDim()));
        return heads;
    }

    private void turn(double[][] heads, int layer, String norm, Rope rope, int position) {
        for (int h = 0; h < heads.length; h++) {
            if (spec.queryKeyNorm()) {
                heads[h] = norm(heads[h], vector(layer, norm));
            }
            int half = rope.dimensions() / 2;
            for (int pair = 0; pair < half; pair++) {
                double factor = rope.frequencyFactors().length > 0 ? rope.frequencyFactors()[pair] : 1;
                double angle = position
                        * (double) rope.positionScale()
                        / Math.pow(rope.base(), 2.0 * pair / rope.dimensions())
                        / factor;
                boolean interleaved = rope.style() == RopeStyle.INTERLEAVED;
                int first = interleaved ? 2 * pair : pair;
                int second = interleaved ? 2 * pair + 1 : pair + half;
                double a = heads[h][first];
                double b = heads[h][second];
                heads[h][first] = a * Math.cos(angle) - b * Math.sin(angle);
                heads[h][second] = a * Math.sin(angle) + b * Math.cos(angle);
            }
        }
    }

    private double[] norm(double[] x, double[] weight) {
        double sum = 0;
        for (double value : x) {
            sum += value * value;
        }
        double[] result = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            result[i] = x[i] / Math.sqrt(sum / x.length + spec.rmsNormEpsilon()) * weight[i];
        }
        return result;
    }

    private static double[] multiply(double[][] matrix, double[] x) {
        double[] result = new double[matrix.length];
        for (int row = 0; row < matrix.length; row++) {
            for (int i = 0; i < x.length; i++) {
                result[row] += matrix[row][i] * x[i];
            }
        }
        return result;
    }

    private double[] vector(int layer, String part) {
        return vector(ModelTensors.layer(layer, part));
    }

    private double[] vector(String name) {
        return matrix(name)[0];
    }

    private double[][] matrix(int layer, String part) {
        return matrix(ModelTensors.layer(layer, part));
    }

    private double[][] matrix(String name) {
        GgufTensor tensor = model.tensor(name);
        double[][] rows = new double[(int) tensor.rowCount()][(int) tensor.rowLength()];
        float[] row = new float[(int) tensor.rowLength()];
        for (int r = 0; r < rows.length; r++) {
            Dequantizer.dequantizeRow(tensor, r, row, 0);
            for (int i = 0; i < row.length; i++) {
                rows[r][i] = row[i];
            }
        }
        return rows;
    }
}
