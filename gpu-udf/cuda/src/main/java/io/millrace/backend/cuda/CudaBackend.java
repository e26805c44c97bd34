package io.millrace.backend.cuda;

import static java.util.Objects.requireNonNull;

import io.millrace.backend.cuda.device.Device;
import io.millrace.backend.cuda.device.DeviceSource;
import io.millrace.backend.cuda.device.JcudaDevices;
import io.millrace.backend.cuda.weights.GgufWeights;
import io.millrace.backend.cuda.weights.OperandType;
import io.millrace.backend.cuda.weights.WeightSource;
import io.millrace.engine.backend.Backend;
import io.millrace.engine.backend.BackendAvailability;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.KvPoolSize;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Runs models on NVIDIA GPUs. */
public final class CudaBackend implements Backend {
    private static final String OPERAND = "operand";
    private static final String GRAPHS = "graphs";
    private static final Set<String> PARAMETERS = Set.of(OPERAND, GRAPHS);

    private final String name;
    private final DeviceSource devices;

    /** For {@link java.util.ServiceLoader}: with the GPUs of this host. */
    public CudaBackend() {
        this("cuda", new JcudaDevices());
    }

    /** With devices of another kind. */
    public CudaBackend(String name, DeviceSource devices) {
        this.name = requireNonNull(name, "name");
        this.devices = requireNonNull(devices, "devices");
    }

    @Override
    public String name() {
        return name;
    }

    /** The backend's devices. */
    public DeviceSource devices() {
        return devices;
    }

    @Override
    public BackendAvailability availability() {
        try {
            int count = devices.deviceCount();
            return BackendAvailability.devices(count, count == 1 ? "one device" : count + " devices");
        } catch (ServingException e) {
            return BackendAvailability.missing(String.valueOf(e.getMessage()));
        }
    }

    @Override
    public void initialize() {
        // A device's driver is initialised when it is asked for: whether there is one is an instance's concern.
    }

    @Override
    public ModelInstance load(InstanceSpec instance) {
        return load(
                new GgufWeights(instance.model()),
                Limits.of(instance),
                instance.pool(),
                instance.deviceIndex(),
                instance.threadCount(),
                instance.parameters());
    }

    /**
     * Loads an instance with weights from anywhere.
     *
     * @param limits what it has room for; the number of its blocks is the pool's
     * @param threadCount threads that pack weights
     * @param parameters {@code operand}: {@code bf16} or {@code f16}; {@code graphs}: {@code true} or {@code false}
     * @throws ServingException {@code UNAVAILABLE} if there is no such device, no kernels for the model, or not enough
     *     memory, with what is needed and what there is
     */
    public ModelInstance load(
            WeightSource weights,
            Limits limits,
            KvPoolSize pool,
            int deviceIndex,
            int threadCount,
            Map<String, String> parameters) {
        checkParameters(parameters);
        Kernels.check(weights.spec(), weights.name());
        OperandType operand = parameters.containsKey(OPERAND)
                ? OperandType.named(requireNonNull(parameters.get(OPERAND)))
                : InstanceLoader.operandOf(weights);
        Device device = devices.open(deviceIndex);
        boolean loaded = false;
        try {
            ModelInstance instance = new InstanceLoader(device, weights, limits, operand)
                    .load(pool, threadCount, !"false".equals(parameters.get(GRAPHS)));
            loaded = true;
            return instance;
        } finally {
            if (!loaded) {
                device.close();
            }
        }
    }

    private void checkParameters(Map<String, String> parameters) {
        TreeSet<String> unknown = new TreeSet<>(parameters.keySet());
        unknown.removeAll(PARAMETERS);
        if (!unknown.isEmpty()) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    "backend " + name + " has the parameters " + new TreeSet<>(PARAMETERS) + "; it was given "
                            + unknown);
        }
    }

    @Override
    public void shutDown() {
        // Instances own their devices.
    }
}
