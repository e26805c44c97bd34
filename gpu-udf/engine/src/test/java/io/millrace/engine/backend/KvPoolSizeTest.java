package io.millrace.engine.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.KvBlockLayout;
import io.millrace.kv.KvElementType;
import io.millrace.kv.ServingException;
import org.junit.jupiter.api.Test;

class KvPoolSizeTest {
    private static final long MIB = 1 << 20;

    /** A block of 1 MiB. */
    private final KvBlockLayout layout = new KvBlockLayout(8, 8, 128, 32, KvElementType.BF16, "other/1");

    @Test
    void deviceTakesItsShareOfWhatIsFree() {
        assertThat(layout.blockBytes()).isEqualTo(MIB);
        assertThat(KvPoolSize.DEFAULT.deviceBlocks(layout, 10_512 * MIB, "a")).isEqualTo(9_000);
        assertThat(new KvPoolSize(0, 0, 0.5, 0).deviceBlocks(layout, 10_512 * MIB, "a"))
                .isEqualTo(5_256);
        // Beyond what ints number.
        assertThat(new KvPoolSize(0, 0, 1, 0).deviceBlocks(layout, Long.MAX_VALUE / 2, "a"))
                .isEqualTo(Integer.MAX_VALUE / 32);
    }

    @Test
    void explicitSizesAreTaken() {
        assertThat(KvPoolSize.blocks(7).deviceBlocks(layout, 600 * MIB, "a")).isEqualTo(7);
        assertThat(KvPoolSize.memory(9 * MIB + 5).deviceBlocks(layout, 600 * MIB, "a"))
                .isEqualTo(9);
        // The number goes over the memory, and both over the reserve.
        assertThat(new KvPoolSize(100, 9 * MIB, 0.9, 590 * MIB).deviceBlocks(layout, 600 * MIB, "a"))
                .isEqualTo(100);
        assertThat(KvPoolSize.blocks(7).hostBlocks(layout)).isEqualTo(7);
        assertThat(KvPoolSize.memory(9 * MIB).hostBlocks(layout)).isEqualTo(9);
        assertThat(KvPoolSize.memory(9).hostBlocks(layout)).isEqualTo(1);
        assertThat(KvPoolSize.DEFAULT.hostBlocks(layout)).isEqualTo(512);
    }

    @Test
    void tooLittleMemoryIsSaid() {
        assertThatThrownBy(() -> KvPoolSize.blocks(601).deviceBlocks(layout, 600 * MIB, "m.gguf on device 0"))
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE))
                .hasMessage("m.gguf on device 0: 601 KV blocks need 601 MiB, and 600 MiB of device memory are free"
                        + " beside the weights");
        assertThatThrownBy(() -> KvPoolSize.DEFAULT.deviceBlocks(layout, 513 * MIB, "m"))
                .hasMessage("m: 1 KV blocks need 1 MiB, and 513 MiB of device memory are free beside the weights, of"
                        + " which 512 MiB are left to others");
        assertThatThrownBy(() -> KvPoolSize.DEFAULT.deviceBlocks(layout, -3, "m"))
                .hasMessageContaining("1 KV blocks need 1 MiB");
        assertThatThrownBy(() -> KvPoolSize.memory(3).deviceBlocks(layout, 600 * MIB, "m"))
                .hasMessageContaining("1 KV blocks need 1 MiB");
    }

    @Test
    void refusesWhatIsNoSize() {
        assertThatThrownBy(() -> new KvPoolSize(0, 0, Double.NaN, 0)).hasMessageContaining("freeFraction");
        assertThatThrownBy(() -> new KvPoolSize(0, 0, 1.01, 0)).hasMessageContaining("freeFraction");
        assertThatThrownBy(() -> KvPoolSize.blocks(-1)).hasMessageContaining("blockCount");
    }
}
