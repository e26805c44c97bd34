package io.millrace.backend.cpu;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cpu.kernel.AttentionOperands;
import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.backend.cpu.kernel.PackedMatrix;
import io.millrace.kv.KvBlockLayout;
import io.millrace.model.ModelSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Runs each kernel on little data until the JVM has compiled it: until a call took no more than {@link
 * Kernels#compiledNanosMax} for each multiply-add. Waiting for a time that stops falling would not do: it stands
 * still for as long as the compiler takes.
 */
final class KernelWarmUp {
    /** Columns of a matrix that a call takes; whole groups of every format. */
    private static final int COLUMNS = 64;

    /** What an exponential costs, in multiply-adds. */
    private static final int EXPONENTIAL = 20;

    private static final int VECTOR = 512;

    private final Kernels kernels;
    private final ModelSpec spec;
    private final KvBlockLayout layout;
    private final LongSupplier nanoClock;
    private final List<Task> tasks = new ArrayList<>();
    private final float[] inputs;
    private final float[] outputs;
    private final float[] panel;
    private final float[] lanes = new float[Kernels.SUM_LANES];
    private final AttentionOperands operands = new AttentionOperands();

    private final class Task {
        private final Runnable call;
        private final long operations;
        private double bestNanos = Double.MAX_VALUE;

        private Task(Runnable call, long operations) {
            this.call = call;
            this.operations = operations;
        }

        private boolean isCompiled() {
            return bestNanos <= kernels.compiledNanosMax() * operations;
        }
    }

    KernelWarmUp(
            Kernels kernels,
            ModelSpec spec,
            KvBlockLayout layout,
            List<PackedMatrix> matrices,
            LongSupplier nanoClock) {
        this.kernels = requireNonNull(kernels, "kernels");
        this.spec = requireNonNull(spec, "spec");
        this.layout = requireNonNull(layout, "layout");
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
        int columnsMax =
                matrices.stream().mapToInt(PackedMatrix::columnCount).max().orElse(COLUMNS);
        inputs = new float[Math.max(columnsMax, 8 * Math.max(COLUMNS, spec.headDim()))];
        Arrays.fill(inputs, 0.5f);
        panel = new float[TileProducts.PANEL_COLUMNS_MAX * kernels.tileLanes()];
        outputs = new float[Math.max(16 * kernels.tileLanes(), 8 * (spec.headDim() + layout.blockSizeTokens()))];
        matrices.forEach(this::addMatrix);
        addPanels();
        addAttention();
        addRows();
    }

    /**
     * Runs all kernels in turn until all are compiled, or the clock reaches {@code deadline}; returns how many are
     * not.
     */
    int run(long deadline) {
        long left = tasks.size();
        while (left > 0 && nanoClock.getAsLong() - deadline < 0) {
            for (Task task : tasks) {
                if (!task.isCompiled()) {
                    long start = nanoClock.getAsLong();
                    task.call.run();
                    task.bestNanos = Math.min(task.bestNanos, nanoClock.getAsLong() - start);
                }
            }
            left = tasks.stream().filter(task -> !task.isCompiled()).count();
        }
        return (int) left;
    }

    private void add(long operations, Runnable call) {
        tasks.add(new Task(call, operations));
    }

    private void addMatrix(PackedMatrix matrix) {
        long weights = (long) matrix.columnCount() * matrix.tileLanes();
        add(weights, () -> kernels.multiplyRow(matrix, 0, inputs, 0, outputs, 0));
        if (matrix.layout() != PackedMatrix.Layout.FLOAT) {
            int columns = Math.min(matrix.columnCount(), TileProducts.PANEL_COLUMNS_MAX);
            long unpacked = (long) columns * matrix.tileLanes();
            add(unpacked, () -> kernels.unpack(matrix, 0, 0, columns, panel));
        }
    }

    private void addPanels() {
        int tile = kernels.tileLanes();
        for (int rows : new int[] {1, 2, 4}) {
            add((long) rows * COLUMNS * tile, () -> {
                Arrays.fill(outputs, 0f);
                kernels.multiplyPanel(panel, 0, tile, COLUMNS, inputs, 0, COLUMNS, rows, outputs);
            });
        }
    }

    private void addAttention() {
        int group = spec.headCount() / spec.kvHeadCount();
        int headDim = spec.headDim();
        int size = layout.blockSizeTokens();
        float[] block = new float[layout.headElements()];
        int rows = Math.min(group, 8);
        add((long) rows * headDim * size, () -> {
            Arrays.fill(outputs, 0f);
            operands.setA(inputs, 0, headDim);
            operands.setB(block, 0, size);
            operands.setC(outputs, 0, size);
            kernels.accumulate(operands, rows, headDim, size);
        });
        add((long) rows * headDim * size, () -> {
            Arrays.fill(outputs, 0f);
            operands.setA(inputs, 0, size);
            operands.setB(block, 0, headDim);
            operands.setC(outputs, 0, headDim);
            kernels.accumulate(operands, rows, size, headDim);
        });
    }

    private void addRows() {
        float[] scores = new float[VECTOR];
        float[] gate = new float[VECTOR];
        float[] up = new float[VECTOR];
        add((long) VECTOR * EXPONENTIAL, () -> kernels.softmaxWeights(scores, 0, 0, VECTOR, 1f, lanes));
        add((long) VECTOR * EXPONENTIAL, () -> kernels.activate(spec.activation(), gate, up, VECTOR));
        add(VECTOR, () -> kernels.sumOfSquares(up, 0, VECTOR, lanes));
    }
}
