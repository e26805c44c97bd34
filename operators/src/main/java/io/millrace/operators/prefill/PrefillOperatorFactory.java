package io.millrace.operators.prefill;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.flink.HandoverRecord;
import io.millrace.operators.EngineSource;
import io.millrace.proto.Turn;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/** Makes Prefill's operators. */
public final class PrefillOperatorFactory extends AbstractStreamOperatorFactory<HandoverRecord>
        implements OneInputStreamOperatorFactory<Turn, HandoverRecord> {
    private static final long serialVersionUID = 1L;

    private final EngineSource engines;
    private final PrefillSettings settings;

    public PrefillOperatorFactory(EngineSource engines, PrefillSettings settings) {
        this.engines = requireNonNull(engines, "engines");
        this.settings = requireNonNull(settings, "settings");
        setChainingStrategy(ChainingStrategy.HEAD);
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T extends StreamOperator<HandoverRecord>> T createStreamOperator(
            StreamOperatorParameters<HandoverRecord> parameters) {
        return (T) new PrefillOperator(parameters, engines, settings);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
        return PrefillOperator.class;
    }
}
