package io.millrace.backend.cuda.weights;

import io.millrace.backend.cuda.device.Device;
import io.millrace.backend.cuda.device.DeviceEvent;
import io.millrace.backend.cuda.device.DeviceStream;
import java.nio.ByteBuffer;

/** Two pieces of page-locked memory, one of which is filled while the other is copied. Used by one thread. */
final class StagedUpload implements AutoCloseable {
    private static final int STAGE_BYTES = 4 << 20;

    private final Device device;
    private final StripPacker packer;
    private final DeviceStream stream;
    private final ByteBuffer[] stages = {EMPTY, EMPTY};
    private final DeviceEvent[] copied;
    private int current;

    private static final ByteBuffer EMPTY = ByteBuffer.allocateDirect(0);

    StagedUpload(Device device, OperandType operand) {
        this.device = device;
        this.packer = new StripPacker(operand);
        this.stream = device.newStream();
        this.copied = new DeviceEvent[] {device.newEvent(), device.newEvent()};
    }

    /** Strips that are packed at once: as many as a stage holds, and one at least. */
    static int stripsAtOnce(MatrixPlan plan) {
        return Math.max(1, STAGE_BYTES / stripBytes(plan));
    }

    private static int stripBytes(MatrixPlan plan) {
        return plan.format().stripBytes(plan.paddedColumns()) + plan.format().stripScaleBytes(plan.paddedColumns());
    }

    /** The other stage, once its copy has ended, with room for so many bytes. */
    private ByteBuffer stage(int bytes) {
        current = 1 - current;
        copied[current].synchronize();
        ByteBuffer stage = stages[current];
        if (stage.capacity() < bytes) {
            if (stage != EMPTY) {
                device.freeHost(stage);
            }
            stages[current] = EMPTY;
            stage = device.allocateHost(Math.max(bytes, STAGE_BYTES));
            stages[current] = stage;
        }
        return stage.clear();
    }

    /** Packs and copies strips of a matrix; returns their bytes. */
    long strips(WeightPlan.Matrix matrix, int from, int end) {
        MatrixPlan plan = matrix.plan();
        PackedMatrix packed = matrix.packed();
        int elementBytes = plan.format().stripBytes(plan.paddedColumns());
        int scaleBytes = plan.format().stripScaleBytes(plan.paddedColumns());
        int strips = end - from;
        ByteBuffer stage = stage(strips * (elementBytes + scaleBytes));
        ByteBuffer elements = stage.slice(0, strips * elementBytes).order(stage.order());
        ByteBuffer scales =
                stage.slice(strips * elementBytes, strips * scaleBytes).order(stage.order());
        for (int strip = from; strip < end; strip++) {
            packer.pack(plan, strip, elements, scales);
        }
        stream.copyToDevice(packed.elements() + (long) from * elementBytes, elements.flip());
        if (scaleBytes > 0) {
            stream.copyToDevice(packed.scales() + (long) from * scaleBytes, scales.flip());
        }
        stream.record(copied[current]);
        return (long) strips * (elementBytes + scaleBytes);
    }

    /** Copies floats. */
    void floats(long address, float[] values) {
        ByteBuffer stage = stage(values.length * Float.BYTES);
        stage.asFloatBuffer().put(values);
        stream.copyToDevice(address, stage.limit(values.length * Float.BYTES));
        stream.record(copied[current]);
    }

    /** Waits until all is copied. */
    void finish() {
        stream.synchronize();
    }

    @Override
    public void close() {
        if (!device.fault().isEmpty()) {
            return; // It all goes with the device.
        }
        stream.synchronize();
        for (int i = 0; i < stages.length; i++) {
            copied[i].close();
            if (stages[i] != EMPTY) {
                device.freeHost(stages[i]);
            }
        }
        stream.close();
    }
}
