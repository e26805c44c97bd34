package io.millrace.backend.cuda.weights;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cuda.device.Device;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * Reads a model's weights, packs them and copies them to a device, on several threads: each packs into page-locked
 * memory of its own while what it packed before is copied.
 */
public final class WeightLoader {
    /** What is not said in tenths of the whole is not worth a line. */
    private static final long PROGRESS_BYTES_MIN = 256L << 20;

    private static final int SHARES = 10;

    /** Some strips of a matrix. */
    private record Range(WeightPlan.Matrix matrix, int from, int end) {}

    private final WeightSource source;
    private final OperandType operand;
    private final int positions;
    private final WeightPlan sizes;

    /** For the positions of the longest sequence. */
    public WeightLoader(WeightSource source, OperandType operand, int positions) {
        this.source = requireNonNull(source, "source");
        this.operand = requireNonNull(operand, "operand");
        this.positions = positions;
        this.sizes = new WeightPlan(source, positions, 256);
    }

    /** Bytes of device memory that the weights take. */
    public long byteCount() {
        return sizes.byteCount();
    }

    /** Types of tensors that have no kernels of their own and are rounded to 16 bits. */
    public Collection<String> convertedTypes() {
        return sizes.convertedTypes();
    }

    /**
     * Loads everything.
     *
     * @param address {@link #byteCount} bytes of device memory
     * @param threads how many of the executor's threads work at once
     */
    public ModelWeights load(
            Device device, long address, ExecutorService executor, int threads, Consumer<String> progress) {
        WeightPlan plan = new WeightPlan(source, positions, address);
        List<Range> ranges = ranges(plan);
        AtomicInteger next = new AtomicInteger();
        AtomicInteger nextVector = new AtomicInteger();
        Progress told = new Progress(plan.byteCount(), progress);
        List<Future<?>> workers = new ArrayList<>();
        for (int worker = 0; worker < threads; worker++) {
            workers.add(executor.submit(() -> {
                try (StagedUpload upload = new StagedUpload(device, operand)) {
                    for (int i = next.getAndIncrement(); i < ranges.size(); i = next.getAndIncrement()) {
                        Range range = ranges.get(i);
                        told.add(upload.strips(range.matrix(), range.from(), range.end()));
                    }
                    List<WeightPlan.Vector> vectors = plan.vectors();
                    for (int i = nextVector.getAndIncrement(); i < vectors.size(); i = nextVector.getAndIncrement()) {
                        upload.floats(
                                vectors.get(i).address(),
                                vectors.get(i).values().get());
                    }
                    upload.finish();
                } catch (RuntimeException | Error e) {
                    next.set(ranges.size());
                    throw e;
                }
            }));
        }
        awaitAll(workers);
        return plan.weights();
    }

    private static List<Range> ranges(WeightPlan plan) {
        List<Range> ranges = new ArrayList<>();
        for (WeightPlan.Matrix matrix : plan.matrices()) {
            int strips = matrix.plan().strips();
            int atOnce = StagedUpload.stripsAtOnce(matrix.plan());
            for (int from = 0; from < strips; from += atOnce) {
                ranges.add(new Range(matrix, from, Math.min(strips, from + atOnce)));
            }
        }
        return ranges;
    }

    /** Waits for all, so that none writes any more when one has failed. */
    private static void awaitAll(List<Future<?>> workers) {
        Throwable failure = null;
        boolean interrupted = false;
        for (Future<?> worker : workers) {
            boolean done = false;
            while (!done) {
                try {
                    worker.get();
                    done = true;
                } catch (ExecutionException e) {
                    failure = failure == null ? e.getCause() : failure;
                    done = true;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (failure instanceof ServingException serving) {
            throw serving;
        } else if (failure != null) {
            throw new ServingException(ErrorCode.INTERNAL, "loading weights failed: " + failure, failure);
        }
    }

    /** Says each tenth once. */
    private static final class Progress {
        private final long total;
        private final Consumer<String> lines;
        private final AtomicLong done = new AtomicLong();

        Progress(long total, Consumer<String> lines) {
            this.total = total;
            this.lines = lines;
        }

        void add(long bytes) {
            long after = done.addAndGet(bytes);
            long share = after * SHARES / total;
            if (total >= PROGRESS_BYTES_MIN && share > (after - bytes) * SHARES / total) {
                lines.accept("weights: " + share * 100 / SHARES + " % of " + (total >> 20) + " MiB");
            }
        }
    }
}
