package io.millrace.kv.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.proto.SessionLog;
import io.millrace.proto.Turn;
import java.io.IOException;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;

class ProtoSerializerTest {
    private static final Turn TURN = Turn.newBuilder()
            .setSessionId("session \uD83D\uDE00")
            .setRequestId("request")
            .addPromptTokenIds(1)
            .addPromptTokenIds(49_151)
            .setCachedTokens(-1)
            .build();

    private final ProtoSerializer<Turn> serializer = new ProtoSerializer<>(Turn.class);

    @Test
    void roundTrip() throws Exception {
        assertThat(serializer.deserialize(serialized(TURN))).isEqualTo(TURN);
        assertThat(serializer.deserialize(TURN, serialized(Turn.getDefaultInstance())))
                .isEqualTo(Turn.getDefaultInstance());
    }

    @Test
    void copiesOfImmutableMessagesAreTheMessage() throws Exception {
        assertThat(serializer.copy(TURN)).isSameAs(TURN);
        assertThat(serializer.duplicate()).isSameAs(serializer);
        assertThat(serializer.isImmutableType()).isTrue();
        DataOutputSerializer copied = new DataOutputSerializer(16);
        serializer.copy(serialized(TURN), copied);
        assertThat(serializer.deserialize(new DataInputDeserializer(copied.getCopyOfBuffer())))
                .isEqualTo(TURN);
    }

    @Test
    void survivesJavaSerialization() throws Exception {
        ProtoSerializer<Turn> clone = InstantiationUtil.clone(serializer);
        assertThat(clone).isEqualTo(serializer).hasSameHashCodeAs(serializer);
        assertThat(clone.deserialize(serialized(TURN))).isEqualTo(TURN);
    }

    @Test
    void damagedLengthIsRefusedBeforeItIsAllocated() {
        assertThatThrownBy(() -> serializer.deserialize(ints(-1)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("millrace.v1.Turn")
                .hasMessageContaining("-1");
        assertThatThrownBy(() -> serializer.deserialize(ints(Integer.MAX_VALUE)))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> serializer.deserialize(ints(4, -1)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("millrace.v1.Turn");
    }

    @Test
    void snapshotRestoresTheSerializer() throws Exception {
        TypeSerializerSnapshot<Turn> restored = writtenAndRead(serializer.snapshotConfiguration());
        assertThat(restored.getCurrentVersion()).isEqualTo(1);
        assertThat(restored.restoreSerializer()).isEqualTo(serializer);
        assertThat(serializer
                        .snapshotConfiguration()
                        .resolveSchemaCompatibility(restored)
                        .isCompatibleAsIs())
                .isTrue();
    }

    @Test
    @SuppressWarnings({"unchecked", "rawtypes"})
    void anotherMessageIsIncompatible() {
        TypeSerializerSnapshot other = new ProtoSerializer<>(SessionLog.class).snapshotConfiguration();
        assertThat(serializer
                        .snapshotConfiguration()
                        .resolveSchemaCompatibility(other)
                        .isIncompatible())
                .isTrue();
    }

    @Test
    void snapshotOfAnUnknownVersionIsRefused() {
        assertThatThrownBy(() -> new ProtoSerializerSnapshot<Turn>()
                        .readSnapshot(2, ints(0), getClass().getClassLoader()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("version 2");
    }

    @Test
    void typeInfoIsNoGenericType() {
        ProtoTypeInfo<Turn> type = ProtoTypeInfo.ofMessage(Turn.class);
        assertThat(type.createSerializer(new SerializerConfigImpl())).isEqualTo(serializer);
        assertThat(type.isKeyType()).isFalse();
        assertThat(type)
                .isEqualTo(ProtoTypeInfo.ofMessage(Turn.class))
                .isNotEqualTo(ProtoTypeInfo.ofMessage(SessionLog.class));
    }

    private static <T> TypeSerializerSnapshot<T> writtenAndRead(TypeSerializerSnapshot<T> snapshot) throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(64);
        TypeSerializerSnapshot.writeVersionedSnapshot(out, snapshot);
        return TypeSerializerSnapshot.readVersionedSnapshot(
                new DataInputDeserializer(out.getCopyOfBuffer()), ProtoSerializerTest.class.getClassLoader());
    }

    private DataInputDeserializer serialized(Turn turn) throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(64);
        serializer.serialize(turn, out);
        return new DataInputDeserializer(out.getCopyOfBuffer());
    }

    private static DataInputDeserializer ints(int... values) throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(16);
        for (int value : values) {
            out.writeInt(value);
        }
        return new DataInputDeserializer(out.getCopyOfBuffer());
    }
}
