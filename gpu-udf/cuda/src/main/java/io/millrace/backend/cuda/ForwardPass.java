package io.millrace.backend.cuda;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cuda.device.DeviceStream;
import io.millrace.backend.cuda.device.LaunchShape;
import io.millrace.backend.cuda.weights.LayerWeights;
import io.millrace.backend.cuda.weights.ModelWeights;
import io.millrace.backend.cuda.weights.PackedMatrix;
import io.millrace.kv.KvBlockLayout;
import io.millrace.model.ModelSpec;
import io.millrace.model.ModelSpec.Activation;
import io.millrace.model.ModelSpec.RopeStyle;

/**
 * A step's launches, from token ids to logits. What is launched, and with which arguments, follows from the
 * {@link StepShape} alone, so that it can be captured; counts and tables are read from the step's numbers in device
 * memory. The structs are those of {@code abi.h}.
 */
final class ForwardPass {
    /** Keys that decode attention walks in one piece. */
    static final int SPLIT_TOKENS = 512;
    /** Rows times heads of a unit of decode attention. */
    static final int TILE_PAIRS = 16;

    /** Pairs of a row and a head of one group up to which decode attention is the faster one. */
    private static final int DECODE_PAIRS = 32;

    private static final int COUNT_ROWS = 0;
    private static final int COUNT_LOGITS_ROWS = 1;
    private static final int EPILOGUE_STORE = 0;
    private static final int EPILOGUE_ADD = 1;
    private static final int EPILOGUE_GATED = 2;
    private static final int EPILOGUE_QKV = 3;
    private static final double LOG2_E = 1 / Math.log(2);

    private final ModelSpec spec;
    private final Limits limits;
    private final KvBlockLayout layout;
    private final ModelWeights weights;
    private final Buffers buffers;
    private final StepArrays arrays;
    private final Kernels kernels;
    private final long kvBlocks;
    private final int group;
    private final int attendedColumns;
    private final int innerColumns;
    private final Arguments arguments = new Arguments();

    ForwardPass(
            ModelSpec spec,
            Limits limits,
            KvBlockLayout layout,
            ModelWeights weights,
            Buffers buffers,
            StepArrays arrays,
            Kernels kernels,
            long kvBlocks) {
        this.spec = requireNonNull(spec, "spec");
        this.limits = requireNonNull(limits, "limits");
        this.layout = requireNonNull(layout, "layout");
        this.weights = requireNonNull(weights, "weights");
        this.buffers = requireNonNull(buffers, "buffers");
        this.arrays = requireNonNull(arrays, "arrays");
        this.kernels = requireNonNull(kernels, "kernels");
        this.kvBlocks = kvBlocks;
        this.group = group(spec);
        this.attendedColumns = weights.layers().get(0).attentionOutput().paddedColumns();
        this.innerColumns = weights.layers().get(0).down().paddedColumns();
    }

    /** Sequences with at most so many rows are decode attention's, the others prefill's: the bits are the same. */
    static int decodeRows(ModelSpec spec) {
        return Math.max(1, DECODE_PAIRS / group(spec));
    }

    /** Query heads that share a key/value head. */
    static int group(ModelSpec spec) {
        return spec.headCount() / spec.kvHeadCount();
    }

    /** Launches a step of a shape. */
    void run(StepShape shape, DeviceStream stream) {
        embed(shape, stream);
        plan(stream, buffers.plan, 0);
        if (spec.slidingWindow() > 0) {
            plan(stream, buffers.slidingPlan, spec.slidingWindow());
        }
        for (int layer = 0; layer < spec.layerCount(); layer++) {
            LayerWeights layerWeights = weights.layers().get(layer);
            norm(shape.rows(), COUNT_ROWS, 0, layerWeights.attentionNorm(), stream);
            queryKeyValue(shape, layer, layerWeights, stream);
            attend(shape, layer, stream);
            project(
                    shape.rows(),
                    layerWeights.attentionOutput(),
                    buffers.attended,
                    layerWeights.postAttentionNorm(),
                    stream);
            norm(shape.rows(), COUNT_ROWS, 0, layerWeights.feedForwardNorm(), stream);
            gate(shape, layerWeights.gateUp(), stream);
            project(shape.rows(), layerWeights.down(), buffers.inner, layerWeights.postFeedForwardNorm(), stream);
        }
        if (shape.logitsRows() > 0) {
            norm(shape.logitsRows(), COUNT_LOGITS_ROWS, buffers.step + arrays.logitsRows, weights.outputNorm(), stream);
            store(
                    shape.logitsRows(),
                    COUNT_LOGITS_ROWS,
                    weights.output(),
                    buffers.logits,
                    buffers.logitsStride,
                    stream);
        }
        if (shape.samples()) {
            sample(shape.logitsRows(), stream);
        }
    }

    private void sample(int rows, DeviceStream stream) {
        LaunchShape shape = kernels.sampleShape(spec.vocabSize(), rows);
        stream.launch(kernels.sampleMax(), shape, sampling().end());
        stream.launch(kernels.sampleChoose(), shape, sampling().end());
    }

    private Arguments sampling() {
        return arguments
                .begin()
                .address(buffers.step)
                .address(buffers.logits)
                .address(buffers.step + arrays.sampleRows)
                .address(buffers.sampleMaxima)
                .address(buffers.sampleBests)
                .address(buffers.sampleArrivals)
                .address(buffers.sampledTokens)
                .int32(spec.vocabSize())
                .int32(buffers.logitsStride);
    }

    private void embed(StepShape shape, DeviceStream stream) {
        PackedMatrix embedding = weights.embedding();
        arguments
                .begin()
                .address(buffers.step)
                .address(buffers.step + arrays.tokenIds)
                .address(embedding.elements())
                .address(embedding.scales())
                .address(buffers.residual)
                .int32(spec.embeddingLength())
                .int32(embedding.paddedColumns())
                .int32(embedding.format().ordinal())
                .float32(spec.embeddingScale());
        stream.launch(kernels.embedding(), kernels.rowShape(shape.rows()), arguments.end());
    }

    private void plan(DeviceStream stream, long plan, int window) {
        arguments
                .begin()
                .address(buffers.step)
                .address(buffers.step + arrays.queryStart)
                .address(buffers.step + arrays.contextLengths)
                .address(plan)
                .int32(limits.maxBatchSequences())
                .int32(window)
                .int32(group)
                .int32(decodeRows(spec))
                .int32(buffers.slots)
                .int32(kernels.prefillPairs());
        stream.launch(kernels.attentionPlan(), kernels.planShape(), arguments.end());
    }

    /** The residual's rows, normed, become the operand of the next product. */
    private void norm(int rows, int rowCount, long gather, long weight, DeviceStream stream) {
        arguments
                .begin()
                .address(buffers.step)
                .address(buffers.residual)
                .address(weight)
                .address(gather)
                .address(buffers.normed)
                .int32(rowCount)
                .int32(spec.embeddingLength())
                .int32(weights.output().paddedColumns())
                .float32(spec.rmsNormEpsilon());
        stream.launch(kernels.norm(), kernels.rowShape(rows), arguments.end());
    }

    private void queryKeyValue(StepShape shape, int layer, LayerWeights layerWeights, DeviceStream stream) {
        PackedMatrix matrix = layerWeights.queryKeyValue();
        if (!spec.queryKeyNorm()) {
            beginProduct(matrix, buffers.normed, layerWeights.queryKeyValueBias(), buffers.query)
                    .address(rotations(layer))
                    .address(buffers.step + arrays.positions)
                    .address(buffers.step + arrays.slots)
                    .address(kvBlocks);
            kvShape(layer)
                    .int32(matrix.paddedRows())
                    .int32(matrix.paddedColumns())
                    .int32(COUNT_ROWS)
                    .int32(EPILOGUE_QKV)
                    .int32(0)
                    .int32(0)
                    .int32(0)
                    .int32(0);
            endProduct(matrix, shape.rows(), stream);
            return;
        }
        store(
                shape.rows(),
                COUNT_ROWS,
                matrix,
                buffers.heads,
                matrix.paddedRows(),
                layerWeights.queryKeyValueBias(),
                stream);
        arguments
                .begin()
                .address(buffers.step)
                .address(buffers.heads)
                .address(layerWeights.queryNorm())
                .address(layerWeights.keyNorm())
                .address(rotations(layer))
                .address(buffers.step + arrays.positions)
                .address(buffers.step + arrays.slots)
                .address(buffers.query)
                .address(kvBlocks);
        kvShape(layer)
                .int32(matrix.paddedRows())
                .int32(spec.headCount())
                .int32(spec.rope().dimensions())
                .int32(rotation())
                .float32(spec.rmsNormEpsilon())
                .int32(0);
        stream.launch(
                kernels.prepareHeads(),
                kernels.prepareShape(shape.rows(), spec.headCount() + 2 * spec.kvHeadCount()),
                arguments.end());
    }

    private void attend(StepShape shape, int layer, DeviceStream stream) {
        if (shape.decodes()) {
            stream.launch(
                    kernels.attentionDecode(),
                    kernels.decodeShape(shape.units(), spec.kvHeadCount()),
                    attention(layer).end());
            if (shape.splits()) {
                stream.launch(
                        kernels.attentionCombine(),
                        kernels.combineShape(shape.rows(), spec.headCount()),
                        attention(layer).end());
            }
        }
        if (shape.prefills()) {
            stream.launch(
                    kernels.attentionPrefill(),
                    kernels.prefillShape(
                            shape.prefillRows(),
                            Math.min(limits.maxBatchSequences(), shape.prefillRows()),
                            group,
                            spec.kvHeadCount()),
                    attention(layer).end());
        }
    }

    private Arguments attention(int layer) {
        boolean sliding = spec.isSliding(layer);
        arguments
                .begin()
                .address(buffers.step)
                .address(sliding ? buffers.slidingPlan : buffers.plan)
                .address(buffers.query)
                .address(kvBlocks)
                .address(buffers.step + arrays.queryStart)
                .address(buffers.step + arrays.contextLengths)
                .address(buffers.step + arrays.blockTableStart)
                .address(buffers.step + arrays.blockTables)
                .address(buffers.partials)
                .address(buffers.partialSums)
                .address(buffers.attended);
        return kvShape(layer)
                .int32(limits.maxBatchSequences())
                .int32(spec.headCount())
                .int32(attendedColumns)
                .int32(sliding ? spec.slidingWindow() : 0)
                .float32((float) (spec.attentionScale() * LOG2_E))
                .int32(0);
    }

    /** Adds a projection to the residual: at once, or after a norm where the model has one. */
    private void project(int rows, PackedMatrix matrix, long operand, long postNorm, DeviceStream stream) {
        long output = postNorm == 0 ? buffers.residual : buffers.projected;
        beginPlainProduct(matrix, operand, 0, output)
                .int32(matrix.paddedRows())
                .int32(matrix.paddedColumns())
                .int32(COUNT_ROWS)
                .int32(postNorm == 0 ? EPILOGUE_ADD : EPILOGUE_STORE)
                .int32(matrix.rows())
                .int32(spec.embeddingLength())
                .int32(0)
                .int32(0);
        endProduct(matrix, rows, stream);
        if (postNorm != 0) {
            arguments
                    .begin()
                    .address(buffers.step)
                    .address(buffers.projected)
                    .address(postNorm)
                    .address(buffers.residual)
                    .int32(spec.embeddingLength())
                    .float32(spec.rmsNormEpsilon());
            stream.launch(kernels.normAdd(), kernels.rowShape(rows), arguments.end());
        }
    }

    private void gate(StepShape shape, PackedMatrix matrix, DeviceStream stream) {
        beginPlainProduct(matrix, buffers.normed, 0, buffers.inner)
                .int32(matrix.paddedRows())
                .int32(matrix.paddedColumns())
                .int32(COUNT_ROWS)
                .int32(EPILOGUE_GATED)
                .int32(innerColumns)
                .int32(0)
                .int32(spec.feedForwardLength())
                .int32(spec.activation() == Activation.SILU ? 0 : 1);
        endProduct(matrix, shape.rows(), stream);
    }

    private void store(int rows, int rowCount, PackedMatrix matrix, long output, int stride, DeviceStream stream) {
        store(rows, rowCount, matrix, output, stride, 0, stream);
    }

    private void store(
            int rows, int rowCount, PackedMatrix matrix, long output, int stride, long bias, DeviceStream stream) {
        beginPlainProduct(matrix, buffers.normed, bias, output)
                .int32(matrix.paddedRows())
                .int32(matrix.paddedColumns())
                .int32(rowCount)
                .int32(EPILOGUE_STORE)
                .int32(matrix.rows())
                .int32(stride)
                .int32(0)
                .int32(0);
        endProduct(matrix, rows, stream);
    }

    private Arguments beginProduct(PackedMatrix matrix, long operand, long bias, long output) {
        return arguments
                .begin()
                .address(buffers.step)
                .address(matrix.elements())
                .address(matrix.scales())
                .address(operand)
                .address(bias)
                .address(output);
    }

    private Arguments kvShape(int layer) {
        return arguments
                .int64(layout.blockBytes())
                .int32(layer)
                .int32(spec.kvHeadCount())
                .int32(spec.headDim())
                .int32(layout.blockSizeTokens());
    }

    /** Of a product that stores no keys and values: without what those need. */
    private Arguments beginPlainProduct(PackedMatrix matrix, long operand, long bias, long output) {
        return beginProduct(matrix, operand, bias, output)
                .address(0)
                .address(0)
                .address(0)
                .address(0)
                .int64(0)
                .int32(0)
                .int32(0)
                .int32(0)
                .int32(0);
    }

    private void endProduct(PackedMatrix matrix, int rows, DeviceStream stream) {
        arguments
                .int32(spec.headCount())
                .int32(spec.rope().dimensions())
                .int32(rotation())
                .int32(0);
        stream.launch(kernels.product(matrix, rows), kernels.productShape(matrix, rows), arguments.end());
    }

    private int rotation() {
        return spec.rope().style() == RopeStyle.INTERLEAVED ? 0 : 1;
    }

    private long rotations(int layer) {
        return spec.isSliding(layer) ? weights.slidingRotations() : weights.rotations();
    }
}
