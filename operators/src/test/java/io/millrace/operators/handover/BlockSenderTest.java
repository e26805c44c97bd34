package io.millrace.operators.handover;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.HeldBlocks;
import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.LeastRecentlyUsedRetention;
import io.millrace.kv.flink.HandoverRecord;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.kv.host.HostSlot;
import io.millrace.kv.host.HostTier;
import io.millrace.kv.testing.Property;
import io.millrace.kv.testing.TestingHostRegion;
import io.millrace.operators.tiers.JobThread;
import io.millrace.operators.tiers.TaskThread;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What a sender sends a receiver takes; the test is every thread of both. */
class BlockSenderTest {
    private static final int CONTENT_BYTES = 12_000;
    private static final int RECORD_BYTES = 4_096;
    private static final int BUFFERS = 3;
    private static final int WAITING_MAX = 4;
    private static final int SLOTS = 64;

    @Test
    void whatIsComputedIsSentAndThenTheTurnGoesOn() throws Exception {
        try (Edge edge = new Edge()) {
            edge.device.addAll(hashes(0, 6));
            OutgoingTurn turn = edge.begin(0, hashes(0, 6), 2);
            edge.sender.advanced(turn, 3);
            edge.runAll();
            assertThat(edge.host.contains(hash(2))).isTrue();
            assertThat(edge.counters.sentBlocks.sum()).isEqualTo(1);
            edge.finish(turn, "done");
            assertThat(edge.done).isEmpty();
            edge.runAll();
            assertThat(edge.done).containsExactly("done");
            assertThat(hashes(2, 6)).allMatch(edge.host::contains);
            assertThat(edge.received.insertedBlocks.sum()).isEqualTo(4);
            // What was sent is not sent again, to this subtask.
            OutgoingTurn next = edge.begin(0, hashes(0, 6), 0);
            edge.finish(next, "next");
            edge.runAll();
            assertThat(edge.counters.sentBlocks.sum()).isEqualTo(4 + 2);
            assertThat(edge.sender.heldBlocks(0, hashes(0, 7), 0)).isEqualTo(6);
            assertThat(edge.sender.heldBlocks(1, hashes(0, 7), 3)).isEqualTo(3);
        }
    }

    @Test
    void turnsWithOneBlockWaitForItTogether() throws Exception {
        try (Edge edge = new Edge()) {
            edge.device.addAll(hashes(0, 1));
            edge.finish(edge.begin(0, hashes(0, 1), 0), "a");
            edge.finish(edge.begin(0, hashes(0, 1), 0), "b");
            edge.runAll();
            assertThat(edge.done).containsExactly("a", "b");
            assertThat(edge.counters.sentBlocks.sum()).isEqualTo(1);
        }
    }

    @Test
    void fullOutputHoldsBackCopiesAndThenTheEngine() throws Exception {
        try (Edge edge = new Edge()) {
            edge.open = false;
            edge.device.addAll(hashes(0, 20));
            OutgoingTurn turn = edge.begin(0, hashes(0, 20), 0);
            edge.sender.advanced(turn, 6);
            edge.runAll();
            assertThat(edge.sender.isFull()).isFalse();
            edge.sender.advanced(turn, 20);
            edge.runAll();
            assertThat(edge.sender.isFull()).isTrue();
            assertThat(edge.held).isEqualTo(BUFFERS);
            edge.open = true;
            edge.finish(turn, "done");
            edge.runAll();
            assertThat(edge.roomTold).isPositive();
            assertThat(edge.done).containsExactly("done");
        }
    }

    @Test
    void randomTurnsAllGoOnAndWhatIsFoundIsRight() throws Exception {
        Property.forAll(21, 40, random -> {
            try (Edge edge = new Edge()) {
                List<String> expected = new ArrayList<>();
                List<OutgoingTurn> open = new ArrayList<>();
                for (int step = 0; step < 200; step++) {
                    switch (random.nextInt(8)) {
                        case 0 -> open.add(begin(edge, random));
                        case 1 -> {
                            if (!open.isEmpty()) {
                                OutgoingTurn turn = open.remove(random.nextInt(open.size()));
                                expected.add("turn " + step);
                                edge.finish(turn, "turn " + step);
                            }
                        }
                        case 2 -> {
                            if (!open.isEmpty()) {
                                edge.sender.drop(open.remove(random.nextInt(open.size())));
                            }
                        }
                        case 3 -> {
                            if (!open.isEmpty()) {
                                edge.sender.advanced(open.get(random.nextInt(open.size())), random.nextInt(12));
                            }
                        }
                        case 4 -> edge.device.remove(hash(random.nextInt(30)));
                        case 5 -> edge.open = random.nextBoolean();
                        default -> edge.runOne();
                    }
                }
                edge.open = true;
                edge.runAll();
                assertThat(edge.done).containsExactlyInAnyOrderElementsOf(expected);
                assertThat(edge.received.damagedBlocks.sum()).isZero();
                assertThat(edge.received.incompleteBlocks.sum()).isZero();
                edge.checkContents();
            }
        });
    }

    private static OutgoingTurn begin(Edge edge, Random random) {
        int from = random.nextInt(20);
        List<BlockHash> chain = hashes(from, from + 1 + random.nextInt(10));
        edge.device.addAll(chain);
        return edge.begin(random.nextInt(2), chain, random.nextInt(3));
    }

    private static BlockHash hash(long n) {
        return new BlockHash(n, n, n, n);
    }

    private static List<BlockHash> hashes(long from, long to) {
        return LongStream.range(from, to).mapToObj(BlockSenderTest::hash).toList();
    }

    private static byte[] content(BlockHash hash) {
        byte[] content = new byte[CONTENT_BYTES];
        Arrays.fill(content, (byte) hash.bits0());
        return content;
    }

    /** A sender, a receiver, and what is between them. */
    private static final class Edge implements AutoCloseable, TaskThread {
        final Set<BlockHash> device = new HashSet<>();
        final HandoverCounters counters = new HandoverCounters();
        final HandoverCounters received = new HandoverCounters();
        final List<String> done = new ArrayList<>();
        final HostTier host =
                new HostTier(TestingHostRegion.of(SLOTS, CONTENT_BYTES), new LeastRecentlyUsedRetention(SLOTS));
        final BlockSender sender;
        boolean open = true;
        int held;
        int roomTold;
        private final BlockReceiver receiver = new BlockReceiver(host, CONTENT_BYTES, hash -> false, received, () -> 0);
        private final JobThread copies = new JobThread(8);
        private final ArrayDeque<Mail> mails = new ArrayDeque<>();
        private final ArrayDeque<Mail> output = new ArrayDeque<>();
        private long nanos;

        Edge() {
            sender = new BlockSender(new BlockSender.Parts(
                    this::hold,
                    (part, sent) -> output.add(() -> {
                        assertThat(((HandoverRecord.OfBlock) part).length()).isLessThanOrEqualTo(RECORD_BYTES);
                        receiver.accept((HandoverRecord.OfBlock) part);
                        sent.run();
                    }),
                    copies,
                    this,
                    () -> roomTold++,
                    counters,
                    () -> nanos++,
                    0,
                    CONTENT_BYTES,
                    RECORD_BYTES,
                    BUFFERS,
                    WAITING_MAX,
                    SLOTS));
        }

        OutgoingTurn begin(int target, List<BlockHash> chain, int knownBlocks) {
            return sender.begin(new SessionPlacement("s", target), target, chain, knownBlocks);
        }

        void finish(OutgoingTurn turn, String name) throws Exception {
            sender.finish(turn, () -> done.add(name));
        }

        boolean runOne() throws Exception {
            if (copies.doOne()) {
                return true;
            }
            Mail mail = mails.poll();
            if (mail == null && open) {
                mail = output.poll();
            }
            if (mail != null) {
                mail.run();
            }
            return mail != null;
        }

        void runAll() throws Exception {
            boolean more = true;
            while (more) {
                more = runOne();
            }
        }

        void checkContents() {
            for (BlockHash hash : hashes(0, 30)) {
                try (HostSlot slot = host.find(hash)) {
                    if (slot != null) {
                        assertThat(slot.content()).isEqualTo(ByteBuffer.wrap(content(hash)));
                        assertThat(BlockValue.check(hash, slot.value())).isEqualTo(BlockValue.Check.OK);
                    }
                }
            }
        }

        private void hold(List<BlockHash> hashes, Consumer<HeldBlocks> to) {
            List<BlockHash> found = hashes.stream().filter(device::contains).toList();
            held += found.size();
            to.accept(new HeldBlocks() {
                @Override
                public int size() {
                    return found.size();
                }

                @Override
                public BlockHash hash(int index) {
                    return found.get(index);
                }

                @Override
                public boolean isShared(int index) {
                    return false;
                }

                @Override
                public void read(int index, ByteBuffer target) {
                    target.put(content(found.get(index)));
                }

                @Override
                public void close() {}
            });
        }

        @Override
        public boolean mail(Mail mail, String description) {
            return mails.add(mail);
        }

        @Override
        public void after(long delayMs, Mail mail) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void setCurrentKey(SessionPlacement session) {
            throw new UnsupportedOperationException();
        }

        @Override
        public long nowMs() {
            return 0;
        }

        @Override
        public void close() {
            receiver.close();
            host.checkIntegrity();
            assertThat(host.stats().pinnedSlots()).isZero();
            host.close();
            copies.close();
        }
    }
}
