package io.millrace.bench.engine;

import io.millrace.engine.backend.Backend;
import io.millrace.engine.backend.Backends;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.KvBlockLayout;
import io.millrace.model.ModelSpec;
import java.util.function.Consumer;

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

    private record ProbedInstance(ModelInstance instance) implements ModelInstance {
        @Override
        public ModelSpec modelSpec() {
            return instance.modelSpec();
        }

        @Override
        public KvBlockLayout kvLayout() {
            return instance.kvLayout();
        }

        @Override
        public int blockCount() {
            return instance.blockCount();
        }

        @Override
        public void warmUp(Consumer<String> progress) {
            instance.warmUp(progress);
        }

        @Override
        public void execute(Batch batch, ForwardResult result) {
            instance.execute(batch, result);
            SamplingProbe.record(batch, System.nanoTime());
        }

        @Override
        public void close() {
            instance.close();
        }
    }
}
