package io.millrace.connector.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class LocalSplitSerializerTest {
    @Test
    void splitRoundTrip() throws Exception {
        LocalSplitSerializer serializer = new LocalSplitSerializer();
        LocalSplit split = new LocalSplit();
        assertThat(serializer.deserialize(serializer.getVersion(), serializer.serialize(split)))
                .isEqualTo(split);
        assertThatThrownBy(() -> serializer.deserialize(2, new byte[0]))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("version 2");
    }

    @Test
    void enumeratorStateRoundTrip() throws Exception {
        LocalEnumeratorState.Serializer serializer = new LocalEnumeratorState.Serializer();
        for (boolean assigned : new boolean[] {true, false}) {
            LocalEnumeratorState state = new LocalEnumeratorState(assigned);
            assertThat(serializer.deserialize(serializer.getVersion(), serializer.serialize(state)))
                    .isEqualTo(state);
        }
        assertThatThrownBy(() -> serializer.deserialize(1, new byte[2])).isInstanceOf(IOException.class);
    }
}
