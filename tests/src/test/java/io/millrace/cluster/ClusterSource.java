package io.millrace.cluster;

import io.millrace.connector.local.LocalSource;
import io.millrace.proto.AgentRequest;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/** Requests of the {@link ClusterGateway} in the reader's process. */
final class ClusterSource<SplitT extends SourceSplit, StateT> implements Source<AgentRequest, SplitT, StateT> {
    private static final long serialVersionUID = 1L;

    private final Source<AgentRequest, SplitT, StateT> requests;
    private final int port;
    private final String modelName;

    private ClusterSource(Source<AgentRequest, SplitT, StateT> requests, int port, String modelName) {
        this.requests = requests;
        this.port = port;
        this.modelName = modelName;
    }

    static Source<AgentRequest, ?, ?> of(int port, String modelName) {
        return around(new LocalSource(ClusterGateway.portName(port)), port, modelName);
    }

    private static <S extends SourceSplit, E> ClusterSource<S, E> around(
            Source<AgentRequest, S, E> requests, int port, String modelName) {
        return new ClusterSource<>(requests, port, modelName);
    }

    @Override
    public Boundedness getBoundedness() {
        return requests.getBoundedness();
    }

    @Override
    public SourceReader<AgentRequest, SplitT> createReader(SourceReaderContext context) throws Exception {
        ClusterGateway.open(port, modelName);
        return requests.createReader(context);
    }

    @Override
    public SplitEnumerator<SplitT, StateT> createEnumerator(SplitEnumeratorContext<SplitT> context) throws Exception {
        return requests.createEnumerator(context);
    }

    @Override
    public SplitEnumerator<SplitT, StateT> restoreEnumerator(SplitEnumeratorContext<SplitT> context, StateT state)
            throws Exception {
        return requests.restoreEnumerator(context, state);
    }

    @Override
    public SimpleVersionedSerializer<SplitT> getSplitSerializer() {
        return requests.getSplitSerializer();
    }

    @Override
    public SimpleVersionedSerializer<StateT> getEnumeratorCheckpointSerializer() {
        return requests.getEnumeratorCheckpointSerializer();
    }
}
