package io.millrace.backend.cuda.testing;

import io.millrace.backend.cuda.device.DeviceEvent;
import io.millrace.backend.cuda.device.DeviceGraph;
import io.millrace.backend.cuda.device.DeviceKernel;
import io.millrace.backend.cuda.device.DeviceStream;
import io.millrace.backend.cuda.device.LaunchShape;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Does what it is asked for at once, or keeps it while it captures. */
final class EmulatedStream implements DeviceStream {
    private static final int SHARED_BYTES_MAX = 227 * 1024;

    private final EmulatedDevice device;
    private @Nullable List<Runnable> captured;

    EmulatedStream(EmulatedDevice device) {
        this.device = device;
    }

    private record Graph(List<Runnable> work) implements DeviceGraph {
        @Override
        public void close() {
            // Nothing was taken.
        }
    }

    private void run(Runnable work) {
        device.checkAlive();
        if (captured == null) {
            work.run();
        } else {
            captured.add(work);
        }
    }

    @Override
    public void copyToDevice(long target, ByteBuffer source) {
        checkDirect(source);
        ByteBuffer from = source.duplicate();
        run(() -> device.memory(target, from.remaining()).put(from.duplicate()));
    }

    @Override
    public void copyToHost(ByteBuffer target, long source) {
        checkDirect(target);
        ByteBuffer to = target.duplicate();
        run(() -> to.duplicate().put(device.memory(source, to.remaining())));
    }

    private static void checkDirect(ByteBuffer buffer) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException("the buffer must be direct: " + buffer);
        }
    }

    @Override
    public void copy(long target, long source, long bytes) {
        run(() -> device.memory(target, bytes).put(device.memory(source, bytes)));
    }

    @Override
    public void clear(long target, long bytes) {
        run(() -> device.memory(target, bytes).put(new byte[Math.toIntExact(bytes)]));
    }

    @Override
    public void launch(DeviceKernel kernel, LaunchShape shape, ByteBuffer arguments) {
        EmulatedDevice.EmulatedKernel launched = (EmulatedDevice.EmulatedKernel) kernel;
        if (arguments.limit() != launched.argumentBytes() || shape.sharedBytes() > SHARED_BYTES_MAX) {
            throw new IllegalArgumentException(kernel.name() + " has arguments of " + launched.argumentBytes()
                    + " bytes, not " + arguments.limit() + "; " + shape);
        }
        ByteBuffer copy = ByteBuffer.allocateDirect(arguments.limit());
        copy.put(arguments.duplicate().position(0)).flip();
        run(() -> {
            int result = device.library()
                    .millrace_launch(
                            kernel.name(),
                            shape.gridX(),
                            shape.gridY(),
                            shape.gridZ(),
                            shape.threads(),
                            1,
                            1,
                            shape.sharedBytes(),
                            EmulatedDevice.pointer(copy));
            if (result != 0) {
                String what = kernel.name() + ": " + device.library().millrace_error();
                device.fail(what);
                throw new ServingException(ErrorCode.INTERNAL, device.name() + ": " + what);
            }
        });
    }

    @Override
    public void record(DeviceEvent event) {
        device.checkAlive();
    }

    @Override
    public void waitFor(DeviceEvent event) {
        device.checkAlive();
    }

    @Override
    public void synchronize() {
        device.checkAlive();
        if (captured != null) {
            throw new IllegalStateException("the stream captures");
        }
    }

    @Override
    public void beginCapture() {
        device.checkAlive();
        captured = new ArrayList<>();
    }

    @Override
    public DeviceGraph endCapture() {
        List<Runnable> work = captured;
        if (work == null) {
            throw new IllegalStateException("the stream does not capture");
        }
        captured = null;
        return new Graph(List.copyOf(work));
    }

    @Override
    public void launch(DeviceGraph graph) {
        device.checkAlive();
        ((Graph) graph).work().forEach(Runnable::run);
    }

    @Override
    public void close() {
        // Nothing was taken.
    }
}
