package io.millrace.kv.host;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.LeastRecentlyUsedRetention;
import io.millrace.kv.NoRetention;
import io.millrace.kv.RetentionOrder;
import io.millrace.kv.testing.Property;
import io.millrace.kv.testing.TestingHostRegion;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HostTierTest {
    private static final int SLOTS = 3;
    private static final int CONTENT_BYTES = 24;

    private final AtomicInteger releases = new AtomicInteger();
    private final HostTier tier = tier(new LeastRecentlyUsedRetention(SLOTS));

    @AfterEach
    void checkIntegrity() {
        tier.checkIntegrity();
    }

    @Test
    void aPublishedBlockIsFound() {
        put(1);
        assertThat(tier.contains(hash(1))).isTrue();
        try (HostSlot slot = requireNonNull(tier.find(hash(1)))) {
            assertThat(slot.hash()).isEqualTo(hash(1));
            assertThat(slot.content().getLong(0)).isEqualTo(1);
            assertThat(slot.value().position()).isEqualTo(BlockValue.PREFIX_ROOM_BYTES);
            assertThat(BlockValue.check(hash(1), slot.value())).isEqualTo(BlockValue.Check.OK);
            assertThat(BlockValue.content(slot.value())).isEqualTo(slot.content());
        }
        assertThat(tier.find(hash(2))).isNull();
        assertThat(tier.stats()).isEqualTo(new HostTierStats(SLOTS, CONTENT_BYTES, 1, 0, 1, 1, 1, 0, 0));
        assertThat(tier.stats().usedRatio()).isEqualTo(1.0 / SLOTS);
    }

    @Test
    void whatIsNotPublishedIsNotFound() {
        HostSlot slot = requireNonNull(tier.reserve(hash(1)));
        assertThat(tier.contains(hash(1))).isFalse();
        slot.close();
        slot.close();
        assertThat(tier.find(hash(1))).isNull();
        assertThat(tier.stats().pinnedSlots()).isZero();
        assertThatThrownBy(slot::content).hasMessageContaining("has ended");
        assertThatThrownBy(slot::publish).hasMessageContaining("has ended");
    }

    @Test
    void reusesWhatWasUsedLongestAgo() {
        put(1);
        put(2);
        put(3);
        requireNonNull(tier.find(hash(1))).close();
        put(4);
        assertThat(tier.contains(hash(2))).isFalse();
        assertThat(tier.contains(hash(1))).isTrue();
        assertThat(tier.stats().evictedBlocks()).isEqualTo(1);
    }

    @Test
    void pinnedSlotsAreNotReused() {
        put(1);
        put(2);
        put(3);
        List<HostSlot> pinned = new ArrayList<>();
        for (int i = 1; i <= SLOTS; i++) {
            pinned.add(requireNonNull(tier.find(hash(i))));
        }
        assertThat(tier.reserve(hash(4))).isNull();
        assertThat(tier.stats().refusedBlocks()).isEqualTo(1);
        pinned.get(1).close();
        put(4);
        assertThat(tier.contains(hash(2))).isFalse();
        assertThat(pinned.get(0).content().getLong(0)).isEqualTo(1);
    }

    @Test
    void theSecondOfTwoEqualBlocksGivesWay() {
        HostSlot first = requireNonNull(tier.reserve(hash(1)));
        HostSlot second = requireNonNull(tier.reserve(hash(1)));
        first.publish();
        second.publish();
        second.content().putLong(0, 9);
        second.close();
        first.close();
        assertThat(tier.stats().findableBlocks()).isEqualTo(1);
        assertThat(tier.stats().writtenBlocks()).isEqualTo(1);
    }

    @Test
    void aForgottenBlockIsReusedFirst() {
        put(1);
        put(2);
        put(3);
        tier.forget(hash(3));
        tier.forget(hash(7));
        put(4);
        assertThat(tier.contains(hash(1))).isTrue();
        assertThat(tier.contains(hash(3))).isFalse();
        HostSlot pinned = requireNonNull(tier.find(hash(1)));
        tier.forget(hash(1));
        assertThat(tier.find(hash(1))).isNull();
        assertThat(pinned.content().getLong(0)).isEqualTo(1);
        pinned.close();
    }

    @Test
    void withoutRetentionBlocksGoAfterTheirUse() {
        HostTier forgetful = tier(new NoRetention(SLOTS));
        HostSlot slot = requireNonNull(forgetful.reserve(hash(1)));
        slot.publish();
        HostSlot other = requireNonNull(forgetful.find(hash(1)));
        slot.close();
        assertThat(forgetful.contains(hash(1))).isTrue();
        other.close();
        assertThat(forgetful.contains(hash(1))).isFalse();
        forgetful.checkIntegrity();
    }

    @Test
    void theMemoryIsFreedAfterTheLastUse() throws Exception {
        put(1);
        HostSlot slot = requireNonNull(tier.find(hash(1)));
        tier.close();
        tier.close();
        assertThat(tier.awaitReleased(Duration.ZERO)).isFalse();
        assertThat(tier.awaitReleased(Duration.ofMillis(1))).isFalse();
        assertThat(slot.content().getLong(0)).isEqualTo(1);
        assertThat(tier.find(hash(1))).isNull();
        assertThat(tier.contains(hash(1))).isFalse();
        assertThat(tier.reserve(hash(2))).isNull();
        assertThat(releases).hasValue(0);
        Thread last = new Thread(slot::close);
        last.start();
        assertThat(tier.awaitReleased(Duration.ofMinutes(1))).isTrue();
        last.join();
        assertThat(releases).hasValue(1);
    }

    @Test
    void threadsNeverSeeAnotherBlocksContent() {
        Property.forAll(5, 5, random -> {
            HostTier shared =
                    tier(random.nextBoolean() ? new LeastRecentlyUsedRetention(SLOTS) : new NoRetention(SLOTS));
            List<Thread> threads = new ArrayList<>();
            AtomicInteger wrong = new AtomicInteger();
            for (int i = 0; i < 3; i++) {
                Random own = new Random(random.nextLong());
                threads.add(new Thread(() -> useForAWhile(shared, own, wrong)));
            }
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(wrong).hasValue(0);
            assertThat(shared.stats().pinnedSlots()).isZero();
            shared.checkIntegrity();
        });
    }

    private static void useForAWhile(HostTier tier, Random random, AtomicInteger wrong) {
        for (int i = 0; i < 3_000; i++) {
            int block = random.nextInt(2 * SLOTS);
            if (random.nextInt(10) == 0) {
                tier.forget(hash(block));
            }
            try (HostSlot found = tier.find(hash(block))) {
                if (found != null && found.content().getLong(0) != block) {
                    wrong.incrementAndGet();
                } else if (found == null) {
                    putInto(tier, block, random.nextBoolean());
                }
            }
        }
    }

    private void put(int block) {
        assertThat(putInto(tier, block, true)).isTrue();
    }

    private static boolean putInto(HostTier tier, int block, boolean publish) {
        try (HostSlot slot = tier.reserve(hash(block))) {
            if (slot == null) {
                return false;
            }
            slot.content().putLong(0, block);
            BlockValue.encodeHeader(slot.hash(), slot.value());
            if (publish) {
                slot.publish();
            }
            return true;
        }
    }

    private HostTier tier(RetentionOrder retention) {
        return new HostTier(TestingHostRegion.of(SLOTS, CONTENT_BYTES, releases::incrementAndGet), retention);
    }

    private static BlockHash hash(int block) {
        return new BlockHash(block, 0, 0, block);
    }
}
