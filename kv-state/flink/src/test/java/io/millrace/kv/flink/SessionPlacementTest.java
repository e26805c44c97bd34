package io.millrace.kv.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.junit.jupiter.api.Test;

class SessionPlacementTest {
    @Test
    void hashCodeIsTheHash() {
        assertThat(new SessionPlacement("s", 42)).hasSameHashCodeAs(42);
        assertThat(new SessionPlacement("s", 42))
                .isEqualTo(new SessionPlacement("s", 42))
                .isNotEqualTo(new SessionPlacement("t", 42))
                .isNotEqualTo(new SessionPlacement("s", 43));
    }

    @Test
    void everyKeyGroupCanBeChosen() {
        for (int keyGroup = 0; keyGroup < 128; keyGroup++) {
            SessionPlacement placement = SessionPlacement.inKeyGroup("session-" + keyGroup, keyGroup, 128);
            assertThat(KeyGroupRangeAssignment.assignToKeyGroup(placement, 128)).isEqualTo(keyGroup);
            assertThat(placement.keyGroup(128)).isEqualTo(keyGroup);
        }
        assertThatThrownBy(() -> SessionPlacement.inKeyGroup("s", 128, 128))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("128");
    }

    @Test
    void roundTripAndSnapshot() throws Exception {
        SessionPlacementSerializer serializer = SessionPlacementSerializer.INSTANCE;
        SessionPlacement placement = new SessionPlacement("agent \uD83D\uDE00/1", -7);
        DataOutputSerializer out = new DataOutputSerializer(64);
        serializer.serialize(placement, out);
        assertThat(serializer.deserialize(new DataInputDeserializer(out.getCopyOfBuffer())))
                .isEqualTo(placement);
        DataOutputSerializer copied = new DataOutputSerializer(64);
        serializer.copy(new DataInputDeserializer(out.getCopyOfBuffer()), copied);
        assertThat(copied.getCopyOfBuffer()).isEqualTo(out.getCopyOfBuffer());

        DataOutputSerializer snapshot = new DataOutputSerializer(64);
        TypeSerializerSnapshot.writeVersionedSnapshot(snapshot, serializer.snapshotConfiguration());
        TypeSerializerSnapshot<SessionPlacement> restored = TypeSerializerSnapshot.readVersionedSnapshot(
                new DataInputDeserializer(snapshot.getCopyOfBuffer()),
                getClass().getClassLoader());
        assertThat(restored.restoreSerializer()).isEqualTo(serializer);
        assertThat(serializer
                        .snapshotConfiguration()
                        .resolveSchemaCompatibility(restored)
                        .isCompatibleAsIs())
                .isTrue();
    }

    @Test
    void flinkFindsTheTypeByItself() {
        assertThat(TypeInformation.of(SessionPlacement.class)).isEqualTo(SessionPlacementTypeInfo.INSTANCE);
    }
}
