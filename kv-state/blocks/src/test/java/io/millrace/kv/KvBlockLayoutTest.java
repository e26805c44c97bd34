package io.millrace.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class KvBlockLayoutTest {
    @Test
    void bytesFollowFromTheElements() {
        KvBlockLayout floats = new KvBlockLayout(30, 3, 64, 32);
        KvBlockLayout halves = new KvBlockLayout(30, 3, 64, 32, KvElementType.BF16, "other/1");
        assertThat(floats.blockElements()).isEqualTo(halves.blockElements()).isEqualTo(368_640);
        assertThat(floats.blockBytes()).isEqualTo(1_474_560);
        assertThat(halves.blockBytes()).isEqualTo(737_280);
        assertThat(halves.valueOffset(29, 2)).isEqualTo(halves.blockElements() - halves.headElements());
    }

    @Test
    void modelIsNamedWithTheFormatOfItsBlocks() {
        Set<String> names = new HashSet<>();
        for (KvElementType type : KvElementType.values()) {
            for (String format : List.of(KvBlockLayout.PLAIN, "plain/2", "other/1")) {
                names.add(new KvBlockLayout(1, 1, 1, 32, type, format).qualify("cpu model"));
            }
        }
        assertThat(names).hasSize(9);
    }

    @Test
    void plainFloatsAreNamedAsTheyAlwaysWere() {
        assertThat(new KvBlockLayout(30, 3, 64, 32).qualify("cpu model")).isEqualTo("cpu model");
    }

    @Test
    void refusesWhatIsNoLayout() {
        assertThatThrownBy(() -> new KvBlockLayout(1, 1, 0, 32)).hasMessageContaining("headDim");
        assertThatThrownBy(() -> new KvBlockLayout(1, 1, 1, 32, KvElementType.F16, " "))
                .hasMessageContaining("format");
        // 2^29 elements: too many as floats, and as halves not.
        assertThatThrownBy(() -> new KvBlockLayout(1 << 10, 8, 1 << 10, 32)).hasMessageContaining("too large");
        assertThat(new KvBlockLayout(1 << 10, 8, 1 << 10, 32, KvElementType.F16, "other/1").blockBytes())
                .isEqualTo(1 << 30);
    }
}
