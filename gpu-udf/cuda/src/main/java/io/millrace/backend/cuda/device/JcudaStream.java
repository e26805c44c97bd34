package io.millrace.backend.cuda.device;

import static java.util.Objects.requireNonNull;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/** A driver's stream that waits for no other. */
final class JcudaStream implements DeviceStream {
    private final JcudaDevice device;
    private final CUstream stream = new CUstream();

    JcudaStream(JcudaDevice device) {
        this.device = requireNonNull(device, "device");
        device.enter();
        device.check(JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING), "cuStreamCreate");
    }

    @Override
    public void copyToDevice(long target, ByteBuffer source) {
        device.enter();
        device.check(
                JCudaDriver.cuMemcpyHtoDAsync(
                        new DeviceAddress(target), HostAddress.pointer(source), source.remaining(), stream),
                "cuMemcpyHtoDAsync");
    }

    @Override
    public void copyToHost(ByteBuffer target, long source) {
        device.enter();
        device.check(
                JCudaDriver.cuMemcpyDtoHAsync(
                        HostAddress.pointer(target), new DeviceAddress(source), target.remaining(), stream),
                "cuMemcpyDtoHAsync");
    }

    @Override
    public void copy(long target, long source, long bytes) {
        device.enter();
        device.check(
                JCudaDriver.cuMemcpyDtoDAsync(new DeviceAddress(target), new DeviceAddress(source), bytes, stream),
                "cuMemcpyDtoDAsync");
    }

    @Override
    public void clear(long target, long bytes) {
        device.enter();
        device.check(
                JCudaDriver.cuMemsetD8Async(new DeviceAddress(target), (byte) 0, bytes, stream), "cuMemsetD8Async");
    }

    @Override
    public void launch(DeviceKernel kernel, LaunchShape shape, ByteBuffer arguments) {
        device.enter();
        JcudaKernel launched = (JcudaKernel) kernel;
        CUfunction function = launched.function(device, shape.sharedBytes());
        Pointer argument = HostAddress.pointer(arguments.duplicate().position(0));
        Pointer arrayOfArguments = Pointer.to(argument);
        int result = JCudaDriver.cuLaunchKernel(
                function,
                shape.gridX(),
                shape.gridY(),
                shape.gridZ(),
                shape.threads(),
                1,
                1,
                shape.sharedBytes(),
                stream,
                arrayOfArguments,
                null);
        // The driver reads the arguments during the call, by addresses that keep nothing alive.
        Reference.reachabilityFence(arguments);
        Reference.reachabilityFence(argument);
        device.check(result, "cuLaunchKernel of " + kernel.name());
    }

    @Override
    public void record(DeviceEvent event) {
        device.enter();
        device.check(JCudaDriver.cuEventRecord(((JcudaEvent) event).event(), stream), "cuEventRecord");
    }

    @Override
    public void waitFor(DeviceEvent event) {
        device.enter();
        device.check(JCudaDriver.cuStreamWaitEvent(stream, ((JcudaEvent) event).event(), 0), "cuStreamWaitEvent");
    }

    @Override
    public void synchronize() {
        device.enter();
        device.check(JCudaDriver.cuStreamSynchronize(stream), "cuStreamSynchronize");
    }

    @Override
    public void beginCapture() {
        device.enter();
        // Other threads copy blocks meanwhile: only what this thread does must be fit for a graph.
        device.check(
                JCudaDriver.cuStreamBeginCapture(stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL),
                "cuStreamBeginCapture");
    }

    @Override
    public DeviceGraph endCapture() {
        device.enter();
        CUgraph graph = new CUgraph();
        device.check(JCudaDriver.cuStreamEndCapture(stream, graph), "cuStreamEndCapture");
        return new JcudaGraph(device, graph);
    }

    @Override
    public void launch(DeviceGraph graph) {
        device.enter();
        device.check(JCudaDriver.cuGraphLaunch(((JcudaGraph) graph).executable(), stream), "cuGraphLaunch");
    }

    @Override
    public void close() {
        device.enter();
        device.check(JCudaDriver.cuStreamDestroy(stream), "cuStreamDestroy");
    }
}
