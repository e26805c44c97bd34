package io.millrace.kv;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BlockHasherTest {
    private final BlockHasher hasher = new BlockHasher(4);

    @Test
    void childIsTheDigestOfParentAndTokens() throws Exception {
        BlockHash root = hasher.root("model", "salt");
        ByteBuffer input = ByteBuffer.allocate(32 + 16)
                .put(root.toBytes())
                .putInt(7)
                .putInt(8)
                .putInt(9)
                .putInt(-1);

        BlockHash child = hasher.child(root, new int[] {0, 7, 8, 9, -1}, 1);

        assertThat(child.toBytes())
                .isEqualTo(MessageDigest.getInstance("SHA-256").digest(input.array()));
    }

    @Test
    void everyInputMatters() {
        Set<BlockHash> hashes = new HashSet<>();
        hashes.add(hasher.root("a", "bc"));
        hashes.add(hasher.root("ab", "c"));
        hashes.add(hasher.root("", "abc"));
        hashes.add(hasher.root("abc", ""));
        hashes.add(new BlockHasher(8).root("abc", ""));
        BlockHash root = hasher.root("abc", "");
        hashes.add(hasher.child(root, new int[] {1, 2, 3, 4}, 0));
        hashes.add(hasher.child(root, new int[] {1, 2, 4, 3}, 0));
        hashes.add(hasher.child(hasher.root("ab", "c"), new int[] {1, 2, 3, 4}, 0));
        assertThat(hashes).hasSize(8);
    }

    @Test
    void bytesGoRound() {
        BlockHash hash = hasher.root("model", "");
        assertThat(BlockHash.fromBytes(hash.toBytes())).isEqualTo(hash).hasSameHashCodeAs(hash);
        assertThat(hash.toString()).hasSize(64);
        assertThatThrownBy(() -> BlockHash.fromBytes(new byte[16])).hasMessageContaining("32 bytes, not 16");
    }

    @Test
    void theIndexCountsCachedTokensUpToTheLastOne() {
        BlockPool pool = new BlockPool(4, new LeastRecentlyUsedRetention(4));
        int[] tokens = {1, 2, 3, 4, 5, 6, 7, 8};
        BlockHash root = hasher.root("model", "");
        BlockHash first = hasher.child(root, tokens, 0);
        pool.publish(pool.allocate(), first, "a");
        pool.publish(pool.allocate(), hasher.child(first, tokens, 4), "a");

        assertThat(pool.index().cachedPrefixTokens(hasher, root, tokens)).isEqualTo(4);
        assertThat(pool.index().cachedPrefixTokens(hasher, root, new int[] {1, 2, 3, 4, 5, 6, 7, 8, 9}))
                .isEqualTo(8);
        assertThat(pool.index().cachedPrefixTokens(hasher, root, new int[] {1, 2, 3, 4, 5, 6, 7, 9, 9}))
                .isEqualTo(4);
        assertThat(pool.index().cachedPrefixTokens(hasher, hasher.root("model", "tenant"), tokens))
                .isZero();
    }
}
