package io.millrace.kv.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.testing.Property;
import io.millrace.proto.Turn;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;

class HandoverSerializerTest {
    private static final HandoverSerializer SERIALIZER = HandoverSerializer.INSTANCE;
    private static final SessionPlacement PLACEMENT = new SessionPlacement("session \u6c34", 7);
    private static final BlockHash HASH = new BlockHash(1, -2, 3, Long.MIN_VALUE);

    @Test
    void turnComesBack() throws Exception {
        Turn turn = Turn.newBuilder()
                .setSessionId("s")
                .setPlacementHash(5)
                .addPromptTokenIds(1)
                .build();
        HandoverRecord.OfTurn handed = new HandoverRecord.OfTurn(turn);
        assertThat(handed.placement()).isEqualTo(new SessionPlacement("s", 5));
        assertThat(read(written(handed))).isEqualTo(handed);
        assertThat(SERIALIZER.copy(handed)).isSameAs(handed);
    }

    @Test
    void partComesBackAndNeedsNoMoreRoomThanItSays() throws Exception {
        Property.forAll(11, 300, random -> {
            HandoverRecord.OfBlock part = part(random);
            byte[] bytes = written(part);
            check(part, (HandoverRecord.OfBlock) read(bytes));
            check(part, (HandoverRecord.OfBlock) SERIALIZER.copy(part));
            assertThat(bytes.length)
                    .isLessThanOrEqualTo(part.length() + HandoverSerializer.partOverheadBytes(PLACEMENT));
            DataOutputSerializer copied = new DataOutputSerializer(16);
            SERIALIZER.copy(new DataInputDeserializer(bytes), copied);
            assertThat(copied.getCopyOfBuffer()).isEqualTo(bytes);
        });
    }

    /** Bytes that are cut or damaged are an error, or another part, and never a huge allocation. */
    @Test
    void damagedBytesAreNoDefect() throws Exception {
        Property.forAll(12, 2000, random -> {
            byte[] bytes = written(part(random));
            int head = Math.min(bytes.length, 80);
            if (random.nextBoolean()) {
                bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
            } else {
                bytes[random.nextInt(head)] ^= (byte) (1 + random.nextInt(255));
            }
            try {
                HandoverRecord record = read(bytes);
                if (record instanceof HandoverRecord.OfBlock part) {
                    assertThat(part.length()).isBetween(1, HandoverRecord.OfBlock.PART_BYTES_MAX);
                    assertThat(part.offset() + part.length()).isBetween(1, part.valueBytes());
                }
            } catch (IOException | IllegalArgumentException e) {
                assertThat(e).isNotNull();
            }
        });
    }

    @Test
    void whatIsNoPartIsRefused() {
        byte[] bytes = new byte[100];
        assertThatThrownBy(() -> new HandoverRecord.OfBlock(PLACEMENT, 0, HASH, 1000, 950, bytes, 0, 100))
                .hasMessageContaining("100 bytes at 950");
        assertThatThrownBy(() -> new HandoverRecord.OfBlock(PLACEMENT, -1, HASH, 1000, 0, bytes, 0, 100))
                .hasMessageContaining("sender -1");
        assertThatThrownBy(
                        () -> new HandoverRecord.OfBlock(PLACEMENT, 0, HASH, BlockValue.HEADER_BYTES, 0, bytes, 0, 10))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> read(new byte[] {2}))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("2");
    }

    private static HandoverRecord.OfBlock part(Random random) {
        byte[] array = new byte[1 + random.nextInt(5000)];
        random.nextBytes(array);
        int from = random.nextInt(array.length);
        int length = 1 + random.nextInt(array.length - from);
        int valueBytes = BlockValue.HEADER_BYTES + length + random.nextInt(1 << 20);
        int offset = random.nextInt(valueBytes - length + 1);
        return new HandoverRecord.OfBlock(
                PLACEMENT, random.nextInt(100), HASH, valueBytes, offset, array, from, length);
    }

    private static void check(HandoverRecord.OfBlock part, HandoverRecord.OfBlock read) {
        assertThat(read.placement()).isEqualTo(part.placement());
        assertThat(read.sender()).isEqualTo(part.sender());
        assertThat(read.hash()).isEqualTo(part.hash());
        assertThat(read.valueBytes()).isEqualTo(part.valueBytes());
        assertThat(read.offset()).isEqualTo(part.offset());
        assertThat(read.isLast()).isEqualTo(part.isLast());
        assertThat(Arrays.copyOfRange(read.array(), read.from(), read.from() + read.length()))
                .isEqualTo(Arrays.copyOfRange(part.array(), part.from(), part.from() + part.length()));
    }

    private static byte[] written(HandoverRecord handed) throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(16);
        SERIALIZER.serialize(handed, out);
        return out.getCopyOfBuffer();
    }

    private static HandoverRecord read(byte[] bytes) throws IOException {
        return SERIALIZER.deserialize(new DataInputDeserializer(bytes));
    }
}
