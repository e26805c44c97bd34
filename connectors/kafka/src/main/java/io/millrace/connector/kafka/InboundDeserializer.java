package io.millrace.connector.kafka;

import io.millrace.connector.kafka.records.KafkaRecords;
import io.millrace.kv.ServingException;
import io.millrace.kv.flink.ProtoTypeInfo;
import io.millrace.proto.InboundRecord;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/** Reads a record as a request, and one that is none as a dead letter. Never fails: the next record is read too. */
final class InboundDeserializer implements KafkaRecordDeserializationSchema<InboundRecord> {
    private static final long serialVersionUID = 1L;

    private final int valueBytesMax;

    /** @param valueBytesMax most bytes of a record's value that a dead letter has */
    InboundDeserializer(int valueBytesMax) {
        this.valueBytesMax = valueBytesMax;
    }

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<InboundRecord> out) {
        InboundRecord.Builder inbound = InboundRecord.newBuilder();
        try {
            inbound.setRequest(KafkaRecords.decodeRequest(record));
        } catch (ServingException e) {
            inbound.setDead(DeadLetters.of(record, String.valueOf(e.getMessage()), valueBytesMax));
        }
        out.collect(inbound.build());
    }

    @Override
    public TypeInformation<InboundRecord> getProducedType() {
        return ProtoTypeInfo.ofMessage(InboundRecord.class);
    }
}
