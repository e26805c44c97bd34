package io.millrace.backend.sim;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.backend.Backend;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.KvBlockLayout;
import io.millrace.kv.ServingException;
import io.millrace.model.ModelSpec;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Simulates devices: computes nothing, takes the time that {@link SimTiming} says, and gives tokens that are a hash of
 * the context. A model file is needed for its vocabulary, its template and the shape of its blocks; no weight is read.
 */
public final class SimBackend implements Backend {
    private static final Logger LOG = LoggerFactory.getLogger(SimBackend.class);

    private final SimClock clock;

    /** For {@link java.util.ServiceLoader}. */
    public SimBackend() {
        this(new SystemClock());
    }

    /** With a clock of a test's own. */
    SimBackend(SimClock clock) {
        this.clock = requireNonNull(clock, "clock");
    }

    @Override
    public String name() {
        return "sim";
    }

    @Override
    public void initialize() {
        // There is no device.
    }

    @Override
    public ModelInstance load(InstanceSpec instance) {
        ModelSpec spec = instance.model().spec();
        SimTiming timing = SimTiming.of(instance.parameters());
        KvBlockLayout layout =
                new KvBlockLayout(spec.layerCount(), spec.kvHeadCount(), spec.headDim(), instance.blockSizeTokens());
        if (!SimBlocks.fits(layout)) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE,
                    instance.model().file() + ": backend sim needs larger KV blocks than " + layout.blockBytes()
                            + " bytes for " + layout.blockSizeTokens() + " tokens");
        }
        LOG.info("sim model {}: {} KV blocks, {}", spec.name(), instance.pool().hostBlocks(layout), timing);
        return new SimInstance(instance, layout, timing, clock);
    }

    @Override
    public void shutDown() {
        // Instances hold nothing but memory.
    }
}
