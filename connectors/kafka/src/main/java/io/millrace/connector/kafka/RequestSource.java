package io.millrace.connector.kafka;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.kv.flink.ProtoTypeInfo;
import io.millrace.proto.InboundRecord;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.KafkaSourceEnumState;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/** Flink's Kafka source, whose splits know which topic they are of: see {@link RequestReader}. */
final class RequestSource
        implements Source<InboundRecord, KafkaPartitionSplit, KafkaSourceEnumState>,
                ResultTypeQueryable<InboundRecord> {
    private static final long serialVersionUID = 1L;

    private final KafkaSource<InboundRecord> source;
    private final KafkaSettings settings;
    private final String clientId;

    /** @param clientId what the client that looks at the topic is called */
    RequestSource(KafkaSource<InboundRecord> source, KafkaSettings settings, String clientId) {
        this.source = requireNonNull(source, "source");
        this.settings = requireNonNull(settings, "settings");
        this.clientId = requireNonNull(clientId, "clientId");
    }

    @Override
    public SourceReader<InboundRecord, KafkaPartitionSplit> createReader(SourceReaderContext context) throws Exception {
        return new RequestReader(
                source.createReader(context),
                new TopicIdentity(settings, clientId + "-topic-watch-" + context.getIndexOfSubtask()));
    }

    @Override
    public Boundedness getBoundedness() {
        return source.getBoundedness();
    }

    @Override
    public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> createEnumerator(
            SplitEnumeratorContext<KafkaPartitionSplit> context) {
        return source.createEnumerator(context);
    }

    @Override
    public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> restoreEnumerator(
            SplitEnumeratorContext<KafkaPartitionSplit> context, KafkaSourceEnumState state) throws IOException {
        return source.restoreEnumerator(context, state);
    }

    @Override
    public SimpleVersionedSerializer<KafkaPartitionSplit> getSplitSerializer() {
        return new RequestSplitSerializer();
    }

    @Override
    public SimpleVersionedSerializer<KafkaSourceEnumState> getEnumeratorCheckpointSerializer() {
        return source.getEnumeratorCheckpointSerializer();
    }

    @Override
    public TypeInformation<InboundRecord> getProducedType() {
        return ProtoTypeInfo.ofMessage(InboundRecord.class);
    }
}
