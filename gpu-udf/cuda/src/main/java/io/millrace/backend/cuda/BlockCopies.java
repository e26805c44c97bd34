package io.millrace.backend.cuda;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cuda.device.Device;
import io.millrace.backend.cuda.device.DeviceEvent;
import io.millrace.backend.cuda.device.DeviceStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Copies of KV blocks between the device and the host, beside the steps, by several threads at once: each on a stream
 * of its own. Memory that is page-locked is copied from and to at once; other memory by way of two pieces of
 * page-locked memory, one of which the host copies while the device copies the other.
 */
final class BlockCopies implements AutoCloseable {
    /** Copies that run at once: two directions, and one of each that prepares. */
    private static final int LANES = 4;

    private static final int STAGE_BYTES = 1 << 20;

    private final Device device;
    private final PageLockedRegions regions;
    private final List<Lane> lanes = new ArrayList<>();
    private final BlockingQueue<Lane> idle = new ArrayBlockingQueue<>(LANES);

    BlockCopies(Device device, PageLockedRegions regions, int blockBytes) {
        this.device = requireNonNull(device, "device");
        this.regions = requireNonNull(regions, "regions");
        for (int i = 0; i < LANES; i++) {
            Lane lane = new Lane(device, Math.min(STAGE_BYTES, blockBytes));
            lanes.add(lane);
            idle.add(lane);
        }
    }

    /** Copies device memory to the bytes from the target's position to its limit. Any thread. */
    void read(long source, ByteBuffer target) {
        Lane lane = take();
        try {
            if (regions.contains(target)) {
                lane.stream.copyToHost(target, source);
                lane.stream.synchronize();
            } else {
                lane.readStaged(source, target.duplicate());
            }
        } finally {
            idle.add(lane);
        }
    }

    /** Copies the bytes from the source's position to its limit to device memory. Any thread. */
    void write(long target, ByteBuffer source) {
        Lane lane = take();
        try {
            if (regions.contains(source)) {
                lane.stream.copyToDevice(target, source);
            } else {
                lane.writeStaged(target, source.duplicate());
            }
            lane.stream.synchronize();
        } finally {
            idle.add(lane);
        }
    }

    /** Waits for a lane, whatever interrupts: copies are short. */
    private Lane take() {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return idle.take();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Gives everything back; no copy runs any more. */
    @Override
    public void close() {
        lanes.forEach(lane -> lane.close(device));
    }

    /** A stream and its stages; used by one thread at a time. */
    private static final class Lane {
        final DeviceStream stream;
        final ByteBuffer[] stages;
        final DeviceEvent[] copied;

        Lane(Device device, int stageBytes) {
            stream = device.newStream();
            stages = new ByteBuffer[] {device.allocateHost(stageBytes), device.allocateHost(stageBytes)};
            copied = new DeviceEvent[] {device.newEvent(), device.newEvent()};
        }

        void readStaged(long source, ByteBuffer target) {
            int stageBytes = stages[0].capacity();
            int total = target.remaining();
            int pieces = (total + stageBytes - 1) / stageBytes;
            for (int piece = 0; piece <= pieces; piece++) {
                if (piece < pieces) {
                    int start = piece * stageBytes;
                    ByteBuffer stage = stages[piece % 2].clear().limit(Math.min(stageBytes, total - start));
                    stream.copyToHost(stage, source + start);
                    stream.record(copied[piece % 2]);
                }
                if (piece > 0) {
                    copied[(piece - 1) % 2].synchronize();
                    target.put(stages[(piece - 1) % 2].duplicate());
                }
            }
        }

        void writeStaged(long target, ByteBuffer source) {
            int stageBytes = stages[0].capacity();
            int end = source.limit();
            for (int piece = 0; source.position() < end; piece++) {
                copied[piece % 2].synchronize();
                int bytes = Math.min(stageBytes, end - source.position());
                ByteBuffer stage = stages[piece % 2].clear();
                stage.put(source.limit(source.position() + bytes)).flip();
                source.limit(end);
                stream.copyToDevice(target, stage);
                stream.record(copied[piece % 2]);
                target += bytes;
            }
        }

        void close(Device device) {
            for (int i = 0; i < 2; i++) {
                copied[i].close();
                device.freeHost(stages[i]);
            }
            stream.close();
        }
    }
}
