package io.millrace.kv.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.BlockValue;
import io.millrace.kv.testing.Property;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class HostRegionTest {
    @Test
    void slotsAreAlignedAndApart() {
        Property.forAll(1, 40, random -> {
            int contentBytes = 1 + random.nextInt(random.nextBoolean() ? 1_000 : 100_000);
            int slabSlots = 1 + random.nextInt(3);
            long slabBytes = HostRegion.slabBytes(slabSlots, contentBytes);
            assertThat(HostRegion.slotsIn(slabBytes, contentBytes)).isEqualTo(slabSlots);
            List<ByteBuffer> slabs = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                // Wherever a slab begins, it has its slots.
                int shift = random.nextInt(5_000);
                slabs.add(ByteBuffer.allocateDirect((int) slabBytes + shift).slice(shift, (int) slabBytes));
            }
            HostRegion region = new HostRegion(slabs, contentBytes, () -> {});
            assertThat(region.slotCount()).isEqualTo(2 * slabSlots);
            int alignment = contentBytes >= 12 * 4096 ? 4096 : 64;
            for (int i = 0; i < region.slotCount(); i++) {
                ByteBuffer slot = region.slot(i);
                assertThat(slot.capacity()).isEqualTo(64 + contentBytes);
                assertThat(slot.alignmentOffset(BlockValue.SLOT_CONTENT_OFFSET, alignment))
                        .isZero();
                slot.putShort(0, (short) i).put(slot.capacity() - 1, (byte) -i);
            }
            for (int i = 0; i < region.slotCount() && contentBytes > 2; i++) {
                assertThat(region.slot(i).getShort(0)).isEqualTo((short) i);
                assertThat(region.slot(i).get(region.slot(i).capacity() - 1)).isEqualTo((byte) -i);
            }
        });
    }

    @Test
    void freesItsSlabsOnce() {
        AtomicInteger releases = new AtomicInteger();
        HostRegion region = new HostRegion(List.of(), 100, releases::incrementAndGet);
        assertThat(region.slotCount()).isZero();
        region.close();
        region.close();
        assertThat(releases).hasValue(1);
    }

    @Test
    void refusesWhatCannotBe() {
        assertThat(HostRegion.slotsIn(100, 1_000)).isZero();
        assertThatThrownBy(() -> new HostRegion(List.of(ByteBuffer.allocate(1_000)), 10, () -> {}))
                .hasMessageContaining("direct");
        assertThatThrownBy(() -> HostRegion.slotsIn(100, 0)).hasMessageContaining("0 bytes");
    }
}
