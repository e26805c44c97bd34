package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.EngineLease;
import io.millrace.operators.ModelText;
import io.millrace.operators.ServedModel;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A served model whose leases to Decode are watched by a {@link DecodeTrace}, which is found by name. */
final class TracedModel implements ServedModel {
    private static final long serialVersionUID = 1L;
    private static final Map<String, DecodeTrace> TRACES = new ConcurrentHashMap<>();
    private static final String DECODE = "decode";

    private final ServedModel model;
    private final String name;

    TracedModel(ServedModel model, String name) {
        this.model = requireNonNull(model, "model");
        this.name = requireNonNull(name, "name");
    }

    /** The trace of this name. */
    static DecodeTrace trace(String name) {
        return TRACES.computeIfAbsent(name, any -> new DecodeTrace());
    }

    @Override
    public EngineLease lease(String leaseName, EngineLease.StepListener listener, int maxUnacknowledgedSteps) {
        if (!leaseName.startsWith(DECODE)) {
            return model.lease(leaseName, listener, maxUnacknowledgedSteps);
        }
        DecodeTrace trace = trace(name);
        EngineLease.StepListener watched = output -> {
            trace.onStep(output);
            listener.onStep(output);
        };
        EngineLease lease = model.lease(leaseName, watched, maxUnacknowledgedSteps);
        return (EngineLease) Proxy.newProxyInstance(
                EngineLease.class.getClassLoader(), new Class<?>[] {EngineLease.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("acknowledge")) {
                        trace.beforeAcknowledge();
                    } else if (method.getName().equals("submit")) {
                        trace.onSubmit();
                    }
                    try {
                        return method.invoke(lease, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    @Override
    public ModelText open() {
        return model.open();
    }
}
