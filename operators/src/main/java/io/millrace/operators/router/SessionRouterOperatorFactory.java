package io.millrace.operators.router;

import static java.util.Objects.requireNonNull;

import io.millrace.operators.ModelText;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.Turn;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/** Makes SessionRouter's operators. */
public final class SessionRouterOperatorFactory extends AbstractStreamOperatorFactory<Turn>
        implements OneInputStreamOperatorFactory<AgentRequest, Turn> {
    private static final long serialVersionUID = 1L;

    private final ModelText.Source texts;
    private final RouterSettings settings;
    private final PlacementPolicy placements;

    public SessionRouterOperatorFactory(ModelText.Source texts, RouterSettings settings, PlacementPolicy placements) {
        this.texts = requireNonNull(texts, "texts");
        this.settings = requireNonNull(settings, "settings");
        this.placements = requireNonNull(placements, "placements");
        setChainingStrategy(ChainingStrategy.HEAD);
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T extends StreamOperator<Turn>> T createStreamOperator(StreamOperatorParameters<Turn> parameters) {
        return (T) new SessionRouterOperator(parameters, texts, settings, placements);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
        return SessionRouterOperator.class;
    }
}
