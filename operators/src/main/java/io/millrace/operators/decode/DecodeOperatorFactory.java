package io.millrace.operators.decode;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.flink.HandoverRecord;
import io.millrace.operators.EngineSource;
import io.millrace.operators.ModelText;
import io.millrace.operators.decode.coordination.DecodeCoordinatorProvider;
import io.millrace.proto.TokenChunk;
import org.apache.flink.api.dag.Transformation;
import org.apache.flink.core.memory.ManagedMemoryUseCase;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.operators.coordination.OperatorCoordinator;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.CoordinatedOperatorFactory;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/** Makes Decode's operators. */
public final class DecodeOperatorFactory extends AbstractStreamOperatorFactory<TokenChunk>
        implements OneInputStreamOperatorFactory<HandoverRecord, TokenChunk>, CoordinatedOperatorFactory<TokenChunk> {
    private static final long serialVersionUID = 1L;

    private final EngineSource engines;
    private final ModelText.Source texts;
    private final DecodeSettings settings;

    public DecodeOperatorFactory(EngineSource engines, ModelText.Source texts, DecodeSettings settings) {
        this.engines = requireNonNull(engines, "engines");
        this.texts = requireNonNull(texts, "texts");
        this.settings = requireNonNull(settings, "settings");
        setChainingStrategy(ChainingStrategy.HEAD);
    }

    /**
     * Gives the operator a share of its slot's managed memory: the HOST tier takes it. Without, HOST is off.
     *
     * @param decode the operator's transformation
     * @param weight of this operator among those of the slot that take managed memory
     */
    public static void declareManagedMemory(Transformation<TokenChunk> decode, int weight) {
        decode.declareManagedMemoryUseCaseAtOperatorScope(ManagedMemoryUseCase.OPERATOR, weight);
    }

    @Override
    public OperatorCoordinator.Provider getCoordinatorProvider(String operatorName, OperatorID operatorId) {
        return new DecodeCoordinatorProvider(operatorId);
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T extends StreamOperator<TokenChunk>> T createStreamOperator(
            StreamOperatorParameters<TokenChunk> parameters) {
        return (T) new DecodeOperator(parameters, engines, texts, settings);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
        return DecodeOperator.class;
    }
}
