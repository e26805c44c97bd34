package io.millrace.connector.local;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.flink.ProtoTypeInfo;
import io.millrace.proto.AgentRequest;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/** Brings the requests of a {@link LocalPort} of this process into a job. Has one split, so one reader works. */
public final class LocalSource
        implements Source<AgentRequest, LocalSplit, LocalEnumeratorState>, ResultTypeQueryable<AgentRequest> {
    private static final long serialVersionUID = 1L;

    private final String portName;

    /**
     * Reads a port's requests.
     *
     * @param portName the name of a port that is open when the job starts
     */
    public LocalSource(String portName) {
        this.portName = requireNonNull(portName, "portName");
    }

    @Override
    public Boundedness getBoundedness() {
        return Boundedness.CONTINUOUS_UNBOUNDED;
    }

    @Override
    public SourceReader<AgentRequest, LocalSplit> createReader(SourceReaderContext context) {
        return new LocalSourceReader(portName);
    }

    @Override
    public SplitEnumerator<LocalSplit, LocalEnumeratorState> createEnumerator(
            SplitEnumeratorContext<LocalSplit> context) {
        return new LocalSplitEnumerator(context, false);
    }

    @Override
    public SplitEnumerator<LocalSplit, LocalEnumeratorState> restoreEnumerator(
            SplitEnumeratorContext<LocalSplit> context, LocalEnumeratorState state) {
        return new LocalSplitEnumerator(context, state.assigned());
    }

    @Override
    public SimpleVersionedSerializer<LocalSplit> getSplitSerializer() {
        return new LocalSplitSerializer();
    }

    @Override
    public SimpleVersionedSerializer<LocalEnumeratorState> getEnumeratorCheckpointSerializer() {
        return new LocalEnumeratorState.Serializer();
    }

    @Override
    public TypeInformation<AgentRequest> getProducedType() {
        return ProtoTypeInfo.ofMessage(AgentRequest.class);
    }
}
