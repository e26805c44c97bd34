package io.millrace.bench.engine;

import io.millrace.engine.backend.Backend;
import io.millrace.engine.backend.Backends;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.engine.testing.ForwardingInstance;

/**
 * The CPU backend, with a note of when each batch's logits were there: the moment from which a token could have been
 * with its client. It lets the benchmark see into a job without a change to the job.
 */
public final class ProbedCpuBackend implements Backend {
    /** Its name in options. */
    public static final String NAME = "cpu-probed";

    /** Made by {@link java.util.ServiceLoader}. */
    public ProbedCpuBackend() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public void initialize() {}

    @Override
    public ModelInstance load(InstanceSpec spec) {
        return new ProbedInstance(Backends.find("cpu").load(spec));
    }

    @Override
    public void shutDown() {}

    private static final class ProbedInstance extends ForwardingInstance {
        private ProbedInstance(ModelInstance instance) {
            super(instance);
        }

        @Override
        public void execute(Batch batch, ForwardResult result) {
            super.execute(batch, result);
            SamplingProbe.record(batch, System.nanoTime());
        }
    }
}
