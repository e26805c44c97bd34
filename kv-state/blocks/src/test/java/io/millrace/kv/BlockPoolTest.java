package io.millrace.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.testing.Property;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BlockPoolTest {
    private static final int BLOCKS = 4;

    private final BlockPool pool = new BlockPool(BLOCKS, new LeastRecentlyUsedRetention(BLOCKS));

    @AfterEach
    void checkIntegrity() {
        pool.checkIntegrity();
    }

    @Test
    void givesEachBlockOnceAndThenNone() {
        assertThat(List.of(pool.allocate(), pool.allocate(), pool.allocate(), pool.allocate()))
                .containsExactly(0, 1, 2, 3);
        assertThat(pool.allocate()).isEqualTo(BlockPool.NONE);
        assertThat(pool.stats().usedRatio()).isEqualTo(1.0);
    }

    @Test
    void aFreedBlockStaysFindableUntilItIsReused() {
        int block = pool.allocate();
        pool.publish(block, hash(1), "a");
        pool.release(block);
        assertThat(pool.index().find(hash(1))).isEqualTo(block);

        for (int i = 0; i < BLOCKS - 1; i++) {
            assertThat(pool.allocate()).isNotEqualTo(block);
        }
        assertThat(pool.index().find(hash(1))).isEqualTo(block);
        assertThat(pool.allocate()).isEqualTo(block);
        assertThat(pool.index().find(hash(1))).isEqualTo(BlockPool.NONE);
        assertThat(pool.stats().evictedBlocks()).isEqualTo(1);
    }

    @Test
    void reusesTheLeastRecentlyFreedFirst() {
        int[] blocks = {pool.allocate(), pool.allocate(), pool.allocate(), pool.allocate()};
        for (int i = 0; i < BLOCKS; i++) {
            pool.publish(blocks[i], hash(i), "a");
        }
        pool.release(blocks[2]);
        pool.release(blocks[0]);
        pool.retain(blocks[2]);
        pool.release(blocks[2]);
        pool.release(blocks[1]);
        assertThat(List.of(pool.allocate(), pool.allocate(), pool.allocate()))
                .containsExactly(blocks[0], blocks[2], blocks[1]);
    }

    @Test
    void theSecondOfTwoEqualBlocksGivesWay() {
        int first = pool.allocate();
        int second = pool.allocate();
        assertThat(pool.publish(first, hash(1), "a")).isEqualTo(first);
        assertThat(pool.publish(second, hash(1), "a")).isEqualTo(first);
        assertThat(pool.refCount(first)).isEqualTo(2);
        assertThat(pool.refCount(second)).isZero();
        assertThat(pool.isWritable(first)).isFalse();
        assertThat(pool.stats().duplicateBlocks()).isEqualTo(1);
    }

    @Test
    void theSecondOfTwoEqualBlocksBringsAFreeOneBack() {
        int first = pool.allocate();
        pool.publish(first, hash(1), "a");
        pool.release(first);
        assertThat(pool.publish(pool.allocate(), hash(1), "a")).isEqualTo(first);
        assertThat(pool.refCount(first)).isEqualTo(1);
        assertThat(pool.freeCount()).isEqualTo(BLOCKS - 1);
    }

    @Test
    void withoutRetentionAFreedBlockIsForgotten() {
        BlockPool forgetful = new BlockPool(2, new NoRetention(2));
        int block = forgetful.allocate();
        forgetful.publish(block, hash(1), "a");
        forgetful.retain(block);
        forgetful.release(block);
        assertThat(forgetful.index().find(hash(1))).isEqualTo(block);
        forgetful.release(block);
        assertThat(forgetful.index().size()).isZero();
        forgetful.checkIntegrity();
    }

    @Test
    void aBlockIsSharedOnceTwoOwnersUsedItSinceItIsHere() {
        int block = pool.allocate();
        pool.publish(block, hash(1), "a");
        pool.retain(block, "a");
        pool.retain(block);
        assertThat(pool.isShared(block)).isFalse();
        pool.retain(block, "b");
        assertThat(pool.isShared(block)).isTrue();
        for (int i = 0; i < 4; i++) {
            pool.release(block);
        }
        assertThat(pool.isShared(block)).isTrue();
        for (int i = 0; i < BLOCKS; i++) {
            pool.allocate();
        }
        assertThat(pool.isShared(block)).isFalse();
    }

    @Test
    void theSecondOfTwoEqualBlocksMakesTheFirstShared() {
        int first = pool.allocate();
        pool.publish(first, hash(1), "a");
        pool.publish(pool.allocate(), hash(1), "b");
        assertThat(pool.isShared(first)).isTrue();
    }

    @Test
    void aTableGivesTheBlocksOfItsEndBack() {
        BlockTable table = new BlockTable(pool, 2, "a");
        table.reserve(7);
        table.truncate(3);
        assertThat(table.blockCount()).isEqualTo(3);
        assertThat(pool.freeCount()).isEqualTo(BLOCKS - 3);
        table.truncate(3);
        pool.checkIntegrity(List.of(table), List.of());
    }

    @Test
    void refusesMisuse() {
        int block = pool.allocate();
        assertThatThrownBy(() -> pool.retain(block)).hasMessageContaining("not findable");
        pool.publish(block, hash(1), "a");
        assertThatThrownBy(() -> pool.publish(block, hash(2), "a")).hasMessageContaining("published twice");
        pool.release(block);
        assertThatThrownBy(() -> pool.release(block)).hasMessageContaining("released more often");
    }

    @Test
    void integrityNoticesALeak() {
        BlockTable table = new BlockTable(pool, 2, "a");
        table.reserve(3);
        int leaked = pool.allocate();
        assertThatThrownBy(() -> pool.checkIntegrity(List.of(table), List.of()))
                .hasMessage("block " + leaked + " has 0 uses, and counts 1");
        pool.checkIntegrity(List.of(table), List.of(leaked));
    }

    @Test
    void aTableTakesAllThatIsMissingOrNothing() {
        BlockTable table = new BlockTable(pool, 2, "a");
        assertThat(table.reserve(2 * BLOCKS + 1)).isFalse();
        assertThat(pool.freeCount()).isEqualTo(BLOCKS);
        assertThat(table.reserve(5)).isTrue();
        assertThat(table.blockCount()).isEqualTo(3);
        assertThat(table.slot(5)).isEqualTo(table.blockId(2) * 2 + 1);
        assertThat(table.missingBlocks(8)).isEqualTo(1);
        assertThatThrownBy(() -> table.slot(6)).isInstanceOf(IndexOutOfBoundsException.class);
        table.releaseAll();
        assertThat(pool.freeCount()).isEqualTo(BLOCKS);
    }

    @Test
    void randomUseKeepsEveryInvariantAndEveryContent() {
        Property.forAll(1, 60, random -> {
            int blockCount = 1 + random.nextInt(40);
            RetentionOrder retention =
                    random.nextBoolean() ? new LeastRecentlyUsedRetention(blockCount) : new NoRetention(blockCount);
            new Fuzz(new BlockPool(blockCount, retention), random).run(400);
        });
    }

    private static BlockHash hash(int content) {
        return new BlockHash(content, 0, 0, content);
    }

    /** Random users of a pool, with a model of what each block must hold. */
    private static final class Fuzz {
        private static final int BLOCK_SIZE = 4;

        private final BlockPool pool;
        private final Random random;
        private final List<BlockTable> tables = new ArrayList<>();
        private final Map<BlockTable, List<Integer>> contents = new HashMap<>();
        /** What was last written to each block. */
        private final int[] memory;

        Fuzz(BlockPool pool, Random random) {
            this.pool = pool;
            this.random = random;
            memory = new int[pool.blockCount()];
        }

        void run(int operations) {
            for (int i = 0; i < operations; i++) {
                if (tables.isEmpty() || random.nextInt(6) == 0) {
                    BlockTable table = new BlockTable(pool, BLOCK_SIZE, "a");
                    tables.add(table);
                    contents.put(table, new ArrayList<>());
                } else if (random.nextInt(8) == 0) {
                    BlockTable table = tables.remove(random.nextInt(tables.size()));
                    table.releaseAll();
                    contents.remove(table);
                } else {
                    grow(tables.get(random.nextInt(tables.size())));
                }
                check();
            }
            tables.forEach(BlockTable::releaseAll);
            pool.checkIntegrity(List.of(), List.of());
            assertThat(pool.freeCount()).isEqualTo(pool.blockCount());
        }

        // Few contents, so that many blocks are equal.
        private void grow(BlockTable table) {
            List<Integer> content = contents.get(table);
            int next = content.isEmpty() ? random.nextInt(5) : content.get(content.size() - 1) * 3 + random.nextInt(2);
            int index = table.blockCount();
            int found = pool.index().find(hash(next));
            if (found != BlockPool.NONE && random.nextInt(4) > 0) {
                table.share(found);
            } else {
                if (!table.reserve((index + 1) * BLOCK_SIZE)) {
                    return;
                }
                assertThat(table.isWritable(index * BLOCK_SIZE)).isTrue();
                memory[table.blockId(index)] = next;
                table.publish(index, hash(next));
            }
            content.add(next);
        }

        private void check() {
            pool.checkIntegrity(tables, List.of());
            for (BlockTable table : tables) {
                List<Integer> content = contents.get(table);
                assertThat(table.blockCount()).isEqualTo(content.size());
                for (int i = 0; i < content.size(); i++) {
                    assertThat(memory[table.blockId(i)]).isEqualTo(content.get(i));
                }
            }
        }
    }
}
