package io.millrace.kv.flink;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.BlockHash;
import io.millrace.kv.LeastRecentlyUsedRetention;
import io.millrace.kv.host.HostRegion;
import io.millrace.kv.host.HostSlot;
import io.millrace.kv.host.HostTier;
import java.time.Duration;
import org.apache.flink.runtime.memory.MemoryManager;
import org.junit.jupiter.api.Test;

class ManagedHostMemoryTest {
    private static final long MIB = 1L << 20;
    private static final int CONTENT_BYTES = 100_000;

    private final MemoryManager memory = MemoryManager.create(64 * MIB, 32 << 10);

    @Test
    void takesWholeSlotsOfItsShareAndGivesThemBack() {
        HostRegion region = ManagedHostMemory.reserve(this, memory, 32 * MIB, Long.MAX_VALUE, CONTENT_BYTES);
        assertThat((long) region.slotCount() * CONTENT_BYTES).isBetween(30 * MIB, 32 * MIB);
        long reserved = 64 * MIB - memory.availableMemory();
        assertThat(reserved).isBetween((long) region.slotCount() * CONTENT_BYTES, 32 * MIB);
        region.close();
        assertThat(memory.verifyEmpty()).isTrue();
    }

    @Test
    void isOffWithoutRoomForABlock() {
        for (long share : new long[] {0, 1_000, CONTENT_BYTES}) {
            HostRegion region = ManagedHostMemory.reserve(this, memory, share, Long.MAX_VALUE, CONTENT_BYTES);
            assertThat(region.slotCount()).isZero();
            region.close();
        }
        assertThat(memory.verifyEmpty()).isTrue();
    }

    @Test
    void takesNoMoreThanItsLimit() {
        HostRegion region = ManagedHostMemory.reserve(this, memory, 32 * MIB, MIB, CONTENT_BYTES);
        assertThat(region.slotCount()).isEqualTo(10);
        region.close();
    }

    @Test
    void saysWhatIsLeftWhereItIsTooLittle() {
        HostRegion region = ManagedHostMemory.reserve(this, memory, 40 * MIB, Long.MAX_VALUE, CONTENT_BYTES);
        assertThatThrownBy(() -> ManagedHostMemory.reserve(this, memory, 40 * MIB, Long.MAX_VALUE, CONTENT_BYTES))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("bytes of managed memory")
                .hasMessageContaining("consumer-weights");
        region.close();
        assertThat(memory.verifyEmpty()).isTrue();
    }

    @Test
    void theReservationEndsWithTheLastUseOfASlot() throws Exception {
        HostRegion region = ManagedHostMemory.reserve(this, memory, 32 * MIB, Long.MAX_VALUE, CONTENT_BYTES);
        HostTier tier = new HostTier(region, new LeastRecentlyUsedRetention(region.slotCount()));
        HostSlot slot = requireNonNull(tier.reserve(new BlockHash(1, 2, 3, 4)));
        slot.content().putLong(0, 7).putLong(CONTENT_BYTES - Long.BYTES, 8);
        slot.publish();
        tier.close();
        assertThat(memory.verifyEmpty()).isFalse();
        assertThat(slot.content().getLong(CONTENT_BYTES - Long.BYTES)).isEqualTo(8);
        slot.close();
        assertThat(tier.awaitReleased(Duration.ZERO)).isTrue();
        assertThat(memory.verifyEmpty()).isTrue();
    }
}
