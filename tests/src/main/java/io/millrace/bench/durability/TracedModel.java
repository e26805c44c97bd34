package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Admission;
import io.millrace.engine.EngineLease;
import io.millrace.engine.ForwardingLease;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StepOutput;
import io.millrace.operators.EngineRole;
import io.millrace.operators.ModelText;
import io.millrace.operators.ServedModel;
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
    public TracedModel inRole(EngineRole role) {
        return new TracedModel(model.inRole(role), name);
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
        return new ForwardingLease(model.lease(leaseName, watched, maxUnacknowledgedSteps)) {
            @Override
            public Admission submit(SequenceRequest request) {
                trace.onSubmit();
                return super.submit(request);
            }

            @Override
            public void acknowledge(StepOutput output) {
                trace.beforeAcknowledge();
                super.acknowledge(output);
            }
        };
    }

    @Override
    public ModelText open() {
        return model.open();
    }
}
