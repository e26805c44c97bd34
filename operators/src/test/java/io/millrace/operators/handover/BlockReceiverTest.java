package io.millrace.operators.handover;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.LeastRecentlyUsedRetention;
import io.millrace.kv.flink.HandoverRecord;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.kv.host.HostSlot;
import io.millrace.kv.host.HostTier;
import io.millrace.kv.testing.TestingHostRegion;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BlockReceiverTest {
    private static final int CONTENT_BYTES = 256;
    private static final int PART_BYTES = 100;
    private static final int SLOTS = 3;
    private static final SessionPlacement PLACEMENT = SessionPlacement.bySessionId("s");

    private final HostTier host =
            new HostTier(TestingHostRegion.of(SLOTS, CONTENT_BYTES), new LeastRecentlyUsedRetention(SLOTS));
    private final Set<BlockHash> device = new HashSet<>();
    private final HandoverCounters counters = new HandoverCounters();
    private final BlockReceiver receiver = new BlockReceiver(host, CONTENT_BYTES, device::contains, counters, () -> 0);

    @AfterEach
    void nothingIsLeftPinned() {
        receiver.close();
        host.checkIntegrity();
        assertThat(host.stats().pinnedSlots()).isZero();
        host.close();
    }

    @Test
    void blockIsFoundOnceItsLastPartHasCome() {
        List<HandoverRecord.OfBlock> parts = parts(0, 1);
        for (HandoverRecord.OfBlock part : parts) {
            assertThat(host.contains(hash(1))).isFalse();
            receiver.accept(part);
        }
        assertThat(counters.insertedBlocks.sum()).isEqualTo(1);
        try (HostSlot slot = host.find(hash(1))) {
            assertThat(slot.content()).isEqualTo(ByteBuffer.wrap(content(1)));
        }
    }

    @Test
    void blocksOfTwoSendersComeBesideEachOther() {
        List<HandoverRecord.OfBlock> one = parts(0, 1);
        List<HandoverRecord.OfBlock> other = parts(1, 2);
        for (int i = 0; i < one.size(); i++) {
            receiver.accept(one.get(i));
            receiver.accept(other.get(i));
        }
        assertThat(counters.insertedBlocks.sum()).isEqualTo(2);
    }

    @Test
    void whatIsMissingAPartIsDropped() {
        List<HandoverRecord.OfBlock> parts = parts(0, 1);
        for (int missing = 0; missing < parts.size(); missing++) {
            for (int i = 0; i < parts.size(); i++) {
                if (i != missing) {
                    receiver.accept(parts.get(i));
                }
            }
        }
        parts(0, 2).forEach(receiver::accept);
        assertThat(host.contains(hash(1))).isFalse();
        assertThat(host.contains(hash(2))).isTrue();
        // Without its first part a block has not begun.
        assertThat(counters.incompleteBlocks.sum()).isEqualTo(parts.size() - 1);
    }

    @Test
    void damagedBlockIsDropped() {
        int valueBytes = BlockValue.valueBytes(CONTENT_BYTES);
        for (int at = 0; at < valueBytes; at += 7) {
            int damaged = at;
            parts(0, 1).forEach(part -> {
                if (damaged >= part.offset() && damaged < part.offset() + part.length()) {
                    part.array()[part.from() + damaged - part.offset()] ^= 1;
                }
                receiver.accept(part);
            });
        }
        assertThat(host.contains(hash(1))).isFalse();
        assertThat(counters.damagedBlocks.sum()).isEqualTo((valueBytes + 6) / 7);
    }

    @Test
    void blockOfAnotherSizeAndWhatIsThereAlreadyArePassedOver() {
        device.add(hash(1));
        parts(0, 1).forEach(receiver::accept);
        parts(0, 2).forEach(receiver::accept);
        parts(1, 2).forEach(receiver::accept);
        assertThat(counters.knownBlocks.sum()).isEqualTo(2);
        receiver.accept(new HandoverRecord.OfBlock(PLACEMENT, 0, hash(3), 1000, 0, new byte[10], 0, 10));
        assertThat(counters.refusedBlocks.sum()).isEqualTo(1);
        assertThat(counters.insertedBlocks.sum()).isEqualTo(1);
    }

    @Test
    void withoutRoomBlocksArePassedOver() {
        List<HostSlot> taken = new ArrayList<>();
        for (int i = 0; i < SLOTS; i++) {
            taken.add(host.reserve(hash(10 + i)));
        }
        parts(0, 1).forEach(receiver::accept);
        assertThat(counters.refusedBlocks.sum()).isEqualTo(1);
        taken.forEach(HostSlot::close);
        parts(0, 1).forEach(receiver::accept);
        assertThat(counters.insertedBlocks.sum()).isEqualTo(1);
    }

    private static BlockHash hash(long n) {
        return new BlockHash(n, n, n, n);
    }

    private static byte[] content(int n) {
        byte[] content = new byte[CONTENT_BYTES];
        Arrays.fill(content, (byte) n);
        return content;
    }

    private static List<HandoverRecord.OfBlock> parts(int sender, int n) {
        byte[] value = new byte[BlockValue.valueBytes(CONTENT_BYTES)];
        System.arraycopy(content(n), 0, value, BlockValue.HEADER_BYTES, CONTENT_BYTES);
        BlockValue.encodeHeader(hash(n), ByteBuffer.wrap(value));
        List<HandoverRecord.OfBlock> parts = new ArrayList<>();
        for (int from = 0; from < value.length; from += PART_BYTES) {
            int length = Math.min(PART_BYTES, value.length - from);
            parts.add(new HandoverRecord.OfBlock(PLACEMENT, sender, hash(n), value.length, from, value, from, length));
        }
        return parts;
    }
}
