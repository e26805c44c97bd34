package io.millrace.backend.cuda;

import io.millrace.backend.cuda.device.Device;
import io.millrace.backend.cuda.device.DeviceKernel;
import io.millrace.backend.cuda.device.LaunchShape;
import io.millrace.backend.cuda.weights.FragmentLayout;
import io.millrace.backend.cuda.weights.OperandType;
import io.millrace.backend.cuda.weights.PackedMatrix;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.model.ModelSpec;
import java.util.Set;

/** The kernels of one operand type and head size, and the grids that their files ask for. */
final class Kernels {
    /** Head sizes that attention is compiled for. */
    private static final Set<Integer> HEAD_DIMS = Set.of(16, 32, 64, 80, 96, 128, 256);

    private static final int THREADS = 256;
    private static final int TILE_ROWS = 128;
    private static final int DECODE_CTAS = 16;

    /** Pieces of a row of logits that are looked at beside each other. */
    static final int SAMPLE_CHUNKS_MAX = 64;

    private static final int SAMPLE_CHUNK_TOKENS = 4096;

    private final Device device;
    private final String operand;
    private final int headDim;
    private final int multiprocessors;

    Kernels(Device device, OperandType operand, ModelSpec spec) {
        this.device = device;
        this.operand = operand.suffix();
        this.headDim = spec.headDim();
        this.multiprocessors = device.multiprocessorCount();
    }

    /**
     * Refuses a model that there are no kernels for.
     *
     * @throws ServingException {@code UNAVAILABLE}
     */
    static void check(ModelSpec spec, String file) {
        if (!HEAD_DIMS.contains(spec.headDim())) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE,
                    "backend cuda: " + file + " has heads of " + spec.headDim() + " elements; there are kernels for "
                            + HEAD_DIMS.stream().sorted().toList());
        }
    }

    DeviceKernel embedding() {
        return device.kernel("embedding_" + operand);
    }

    DeviceKernel norm() {
        return device.kernel("rms_norm_" + operand);
    }

    DeviceKernel normAdd() {
        return device.kernel("rms_norm_add");
    }

    DeviceKernel prepareHeads() {
        return device.kernel("prepare_heads_" + operand);
    }

    DeviceKernel attentionPlan() {
        return device.kernel("attention_plan");
    }

    DeviceKernel attentionDecode() {
        return device.kernel("attention_decode_" + operand + "_h" + headDim);
    }

    DeviceKernel attentionCombine() {
        return device.kernel("attention_combine_" + operand);
    }

    DeviceKernel attentionPrefill() {
        return device.kernel("attention_prefill_" + operand + "_h" + headDim);
    }

    /** A thread block for each row. */
    LaunchShape rowShape(int rows) {
        return new LaunchShape(rows, 1, 1, THREADS, 0);
    }

    LaunchShape prepareShape(int rows, int heads) {
        return new LaunchShape(rows, ceil(heads, THREADS / 32), 1, THREADS, 0);
    }

    LaunchShape planShape() {
        return new LaunchShape(1, 1, 1, 32, 0);
    }

    LaunchShape decodeShape(int units, int kvHeads) {
        long ctas = Math.min(2L * units * kvHeads, (long) DECODE_CTAS * multiprocessors);
        return new LaunchShape((int) Math.max(1, ctas), 1, 1, THREADS, 0);
    }

    LaunchShape combineShape(int rows, int heads) {
        return new LaunchShape(rows, ceil(heads * (headDim / 4), 128), 1, 128, 0);
    }

    /** Query rows times heads that a thread block of prefill attention takes: 16 a warp. */
    int prefillPairs() {
        return headDim > 128 ? 64 : headDim == 96 ? 96 : 128;
    }

    LaunchShape prefillShape(int rows, int sequences, int group, int kvHeads) {
        int tiles = ceil(rows * group, prefillPairs()) + sequences - 1;
        return new LaunchShape(tiles, kvHeads, 1, prefillPairs() / 16 * 32, prefillSharedBytes());
    }

    /** As the table in {@code attention_prefill.cu}: a ring of parts of 64 keys or values, queries and sums. */
    private int prefillSharedBytes() {
        int ring = headDim > 128 ? 2 : headDim == 128 ? 4 : 3;
        return headDim * (prefillPairs() * (OperandType.BYTES + Float.BYTES) + ring * 64 * OperandType.BYTES);
    }

    /** The product kernel for so many rows. */
    DeviceKernel product(PackedMatrix matrix, int rows) {
        return device.kernel("product_" + operand + "_" + matrix.format().suffix() + "_" + variant(rows));
    }

    private static String variant(int rows) {
        return rows > 64 ? "tile" : "r" + rows;
    }

    LaunchShape productShape(PackedMatrix matrix, int rows) {
        int features = matrix.paddedRows();
        if (rows > 64) {
            int sharedBytes = switch (matrix.format()) {
                case W16 -> 131_072;
                case W8 -> 100_352;
                case W4 -> 86_016;
            };
            return new LaunchShape(ceil(features, TILE_ROWS), ceil(rows, TILE_ROWS), 1, THREADS, sharedBytes);
        }
        int strips = rows > 16 ? 2 : 1;
        return new LaunchShape(ceil(features, strips * FragmentLayout.STRIP_ROWS), 1, 1, THREADS, 0);
    }

    DeviceKernel sampleMax() {
        return device.kernel("sample_max");
    }

    DeviceKernel sampleChoose() {
        return device.kernel("sample_choose");
    }

    LaunchShape sampleShape(int vocabulary, int rows) {
        return new LaunchShape(Math.min(SAMPLE_CHUNKS_MAX, ceil(vocabulary, SAMPLE_CHUNK_TOKENS)), rows, 1, THREADS, 0);
    }

    private static int ceil(int count, int unit) {
        return (count + unit - 1) / unit;
    }
}
