package io.millrace.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.testing.Property;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BlockValueTest {
    private static final BlockHash HASH = new BlockHash(1, 2, 3, 4);

    @Test
    void theFormatStaysAsItIs() {
        ByteBuffer value = ByteBuffer.allocateDirect(BlockValue.valueBytes(4)).order(ByteOrder.LITTLE_ENDIAN);
        value.putInt(BlockValue.HEADER_BYTES, 0x04030201);
        BlockValue.encodeHeader(HASH, value);
        byte[] bytes = new byte[value.remaining()];
        value.duplicate().get(bytes);
        assertThat(HexFormat.of().formatHex(bytes))
                .isEqualTo("01" + "0000000000000001" + "0000000000000002" + "0000000000000003" + "0000000000000004"
                        + "29308cf4" + "00".repeat(22) + "01020304");
    }

    @Test
    void aValueIsCheckedWhereItLies() {
        ByteBuffer slot = ByteBuffer.allocateDirect(200);
        slot.position(7).limit(7 + BlockValue.valueBytes(100));
        fill(new Random(1), slot);
        ByteBuffer content = BlockValue.content(slot);
        BlockValue.encodeHeader(HASH, slot);

        assertThat(slot.position()).isEqualTo(7);
        assertThat(BlockValue.check(HASH, slot)).isEqualTo(BlockValue.Check.OK);
        assertThat(slot.position()).isEqualTo(7);
        assertThat(content.remaining()).isEqualTo(100);
        assertThat(content.order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
        assertThat(BlockValue.check(new BlockHash(1, 2, 3, 5), slot)).isEqualTo(BlockValue.Check.WRONG_HASH);
        slot.put(7, (byte) 2);
        assertThat(BlockValue.check(HASH, slot)).isEqualTo(BlockValue.Check.UNKNOWN_VERSION);
    }

    @Test
    void anyDamagedBitIsFound() {
        Property.forAll(11, 300, random -> {
            int contentBytes = random.nextInt(300);
            ByteBuffer value = ByteBuffer.allocateDirect(BlockValue.valueBytes(contentBytes));
            fill(random, value);
            BlockValue.encodeHeader(HASH, value);
            int at = random.nextInt(value.capacity());
            value.put(at, (byte) (value.get(at) ^ 1 << random.nextInt(8)));
            assertThat(BlockValue.check(HASH, value)).isNotEqualTo(BlockValue.Check.OK);
        });
    }

    @Test
    void aCutValueIsDamaged() {
        ByteBuffer value = ByteBuffer.allocateDirect(BlockValue.valueBytes(100));
        BlockValue.encodeHeader(HASH, value);
        for (int bytes = 0; bytes < value.capacity(); bytes++) {
            assertThat(BlockValue.check(HASH, value.slice(0, bytes))).isNotEqualTo(BlockValue.Check.OK);
        }
        assertThatThrownBy(() -> BlockValue.encodeHeader(HASH, value.slice(0, 58)))
                .hasMessageContaining("at least 59 bytes");
    }

    private static void fill(Random random, ByteBuffer buffer) {
        for (int at = buffer.position(); at < buffer.limit(); at++) {
            buffer.put(at, (byte) random.nextInt());
        }
    }
}
