package io.millrace.backend.cuda.device;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/**
 * An NVIDIA GPU by JCuda's binding of the driver: the host needs nothing but NVIDIA's driver.
 *
 * <p>The context is this object's own, and is made current for the calling thread at every call. A context that a fault
 * has ended goes with {@link #close}; a new device of the same index has a new one.
 */
public final class JcudaDevice implements Device {
    private final CUdevice device;
    private final CUcontext context;
    private final CudaCalls calls;
    private final String name;
    private final int architecture;
    private final List<CUmodule> modules = new ArrayList<>();
    private final Map<String, JcudaKernel> kernels = new ConcurrentHashMap<>();
    private final Map<Long, Pointer> hostMemory = new ConcurrentHashMap<>();
    private boolean closed;

    private JcudaDevice(CUdevice device, String name, int architecture, CudaCalls calls) {
        this.device = device;
        this.name = name;
        this.architecture = architecture;
        this.calls = calls;
        this.context = new CUcontext();
        calls.check(JCudaDriver.cuCtxCreate(context, 0, device), "cuCtxCreate");
    }

    /** Opens a device; {@link JcudaDevices} has initialised the driver. */
    static JcudaDevice open(int index, CudaCalls calls, KernelResources resources) {
        CUdevice device = new CUdevice();
        calls.check(JCudaDriver.cuDeviceGet(device, index), "cuDeviceGet");
        byte[] name = new byte[256];
        calls.check(JCudaDriver.cuDeviceGetName(name, name.length, device), "cuDeviceGetName");
        int architecture =
                10 * attribute(calls, device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
                        + attribute(calls, device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
        String shown = "cuda device " + index + " (" + JcudaDevices.text(name) + ")";
        List<KernelResources.Image> images = resources.imagesFor(architecture, shown);
        JcudaDevice opened = new JcudaDevice(device, shown, architecture, calls);
        boolean loaded = false;
        try {
            images.forEach(opened::load);
            loaded = true;
            return opened;
        } finally {
            if (!loaded) {
                opened.close();
            }
        }
    }

    private static int attribute(CudaCalls calls, CUdevice device, int attribute) {
        int[] value = {0};
        calls.check(JCudaDriver.cuDeviceGetAttribute(value, attribute, device), "cuDeviceGetAttribute");
        return value[0];
    }

    private void load(KernelResources.Image image) {
        CUmodule module = new CUmodule();
        enter();
        calls.check(JCudaDriver.cuModuleLoadData(module, image.bytes()), "cuModuleLoadData of " + image.name());
        modules.add(module);
    }

    /** Makes the context current for this thread, unless nothing runs in it any more. */
    void enter() {
        calls.checkAlive();
        check(JCudaDriver.cuCtxSetCurrent(context), "cuCtxSetCurrent");
    }

    void check(int result, String call) {
        calls.check(result, call);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int architecture() {
        return architecture;
    }

    @Override
    public int multiprocessorCount() {
        return attribute(calls, device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    }

    @Override
    public long freeBytes() {
        return memoryInfo()[0];
    }

    @Override
    public long totalBytes() {
        return memoryInfo()[1];
    }

    private long[] memoryInfo() {
        long[] free = {0};
        long[] total = {0};
        enter();
        check(JCudaDriver.cuMemGetInfo(free, total), "cuMemGetInfo");
        return new long[] {free[0], total[0]};
    }

    @Override
    public long allocate(long bytes) {
        enter();
        DeviceAddress pointer = new DeviceAddress();
        int result = JCudaDriver.cuMemAlloc(pointer, bytes);
        if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE,
                    name + ": cuMemAlloc of " + (bytes >> 20) + " MiB: of " + (totalBytes() >> 20) + " MiB "
                            + (freeBytes() >> 20) + " are free");
        }
        check(result, "cuMemAlloc");
        check(JCudaDriver.cuMemsetD8(pointer, (byte) 0, bytes), "cuMemsetD8");
        // Of device memory, cuMemset does not wait, and other streams do not wait for it.
        check(JCudaDriver.cuCtxSynchronize(), "cuCtxSynchronize");
        return pointer.address();
    }

    @Override
    public void free(long address) {
        enter();
        check(JCudaDriver.cuMemFree(new DeviceAddress(address)), "cuMemFree");
    }

    @Override
    public ByteBuffer allocateHost(int bytes) {
        enter();
        Pointer pointer = new Pointer();
        check(
                JCudaDriver.cuMemHostAlloc(pointer, bytes, JCudaDriver.CU_MEMHOSTALLOC_PORTABLE),
                "cuMemHostAlloc of " + bytes + " bytes");
        ByteBuffer buffer =
                requireNonNull(pointer.getByteBuffer(0, bytes), "buffer").order(ByteOrder.LITTLE_ENDIAN);
        hostMemory.put(HostAddress.of(buffer), pointer);
        return buffer;
    }

    @Override
    public void freeHost(ByteBuffer buffer) {
        Pointer pointer = hostMemory.remove(HostAddress.of(buffer.duplicate().position(0)));
        if (pointer == null) {
            throw new IllegalArgumentException("not page-locked memory of " + name);
        }
        enter();
        check(JCudaDriver.cuMemFreeHost(pointer), "cuMemFreeHost");
    }

    @Override
    public void registerHost(ByteBuffer region) {
        enter();
        check(
                JCudaDriver.cuMemHostRegister(
                        HostAddress.pointer(region), region.remaining(), JCudaDriver.CU_MEMHOSTREGISTER_PORTABLE),
                "cuMemHostRegister of " + region.remaining() + " bytes");
    }

    @Override
    public void unregisterHost(ByteBuffer region) {
        enter();
        check(JCudaDriver.cuMemHostUnregister(HostAddress.pointer(region)), "cuMemHostUnregister");
    }

    @Override
    public DeviceStream newStream() {
        return new JcudaStream(this);
    }

    @Override
    public DeviceEvent newEvent() {
        return new JcudaEvent(this);
    }

    @Override
    public DeviceKernel kernel(String kernel) {
        return kernels.computeIfAbsent(kernel, this::find);
    }

    private JcudaKernel find(String kernel) {
        enter();
        for (CUmodule module : modules) {
            CUfunction function = new CUfunction();
            int result = JCudaDriver.cuModuleGetFunction(function, module, kernel);
            if (result == CUresult.CUDA_SUCCESS) {
                return new JcudaKernel(kernel, function);
            }
            if (result != CUresult.CUDA_ERROR_NOT_FOUND) {
                check(result, "cuModuleGetFunction of " + kernel);
            }
        }
        throw new ServingException(ErrorCode.INTERNAL, name + ": there is no kernel " + kernel);
    }

    @Override
    public String fault() {
        return calls.fault();
    }

    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            // Frees all that was made in it, in whatever state a fault left it: its result says nothing new.
            JCudaDriver.cuCtxDestroy(context);
        }
    }
}
