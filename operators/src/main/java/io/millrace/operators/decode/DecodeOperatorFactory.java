package io.millrace.operators.decode;

import static java.util.Objects.requireNonNull;

import io.millrace.operators.EngineSource;
import io.millrace.operators.ModelText;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.Turn;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/** Makes Decode's operators. */
public final class DecodeOperatorFactory extends AbstractStreamOperatorFactory<TokenChunk>
        implements OneInputStreamOperatorFactory<Turn, TokenChunk> {
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
