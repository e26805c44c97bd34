package io.millrace.operators.tiers;

import io.millrace.engine.HeldBlocks;
import io.millrace.engine.LoadTarget;
import io.millrace.kv.BlockHash;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.LongStream;

/** Blocks of a device: block n is named n, and each of its bytes is n. */
final class TestingDevice {
    static final int CONTENT_BYTES = 64;

    private final Map<BlockHash, byte[]> blocks = new LinkedHashMap<>();
    private final Set<BlockHash> shared = new HashSet<>();
    private int holds;
    private int heldMax = Integer.MAX_VALUE;

    static BlockHash hash(long n) {
        return new BlockHash(n, n, n, n);
    }

    /** The names of blocks from one to another, exclusive. */
    static List<BlockHash> hashes(long from, long to) {
        return LongStream.range(from, to).mapToObj(TestingDevice::hash).toList();
    }

    static byte[] content(BlockHash hash) {
        byte[] content = new byte[CONTENT_BYTES];
        Arrays.fill(content, (byte) hash.bits0());
        return content;
    }

    /** The device has these blocks from now on. */
    void add(List<BlockHash> hashes) {
        hashes.forEach(hash -> blocks.put(hash, content(hash)));
    }

    void share(BlockHash hash) {
        shared.add(hash);
    }

    boolean has(BlockHash hash) {
        return blocks.containsKey(hash);
    }

    /** No more blocks are held at a time by one hold. */
    void holdAtMost(int blockCount) {
        heldMax = blockCount;
    }

    void clear() {
        blocks.clear();
    }

    /** Holds that were not closed. */
    int holds() {
        return holds;
    }

    void hold(List<BlockHash> hashes, Consumer<HeldBlocks> receiver) {
        holds++;
        receiver.accept(new Held(
                hashes.stream().filter(blocks::containsKey).limit(heldMax).toList()));
    }

    /** A target of so many blocks. */
    static Target target(int blockCount) {
        return new Target(blockCount);
    }

    private final class Held implements HeldBlocks {
        private final List<BlockHash> hashes;
        private boolean closed;

        Held(List<BlockHash> hashes) {
            this.hashes = hashes;
        }

        @Override
        public int size() {
            return hashes.size();
        }

        @Override
        public BlockHash hash(int index) {
            return hashes.get(index);
        }

        @Override
        public boolean isShared(int index) {
            return shared.contains(hash(index));
        }

        @Override
        public void read(int index, ByteBuffer target) {
            if (closed) {
                throw new IllegalStateException("closed");
            }
            target.put(blocks.get(hash(index)));
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                holds--;
            }
        }
    }

    static final class Target implements LoadTarget {
        private final int blockCount;
        private final List<byte[]> written = new ArrayList<>();
        private boolean wanted = true;
        private int done = -1;

        Target(int blockCount) {
            this.blockCount = blockCount;
        }

        void unwanted() {
            wanted = false;
        }

        List<byte[]> written() {
            return written;
        }

        /** What was said at the end; -1 before. */
        int done() {
            return done;
        }

        @Override
        public int blockCount() {
            return blockCount;
        }

        @Override
        public boolean isWanted() {
            return wanted;
        }

        @Override
        public void write(int index, ByteBuffer content) {
            if (index != written.size() || done >= 0) {
                throw new IllegalStateException("out of order");
            }
            byte[] bytes = new byte[content.remaining()];
            content.duplicate().get(bytes);
            written.add(bytes);
        }

        @Override
        public void done(int loadedBlocks) {
            if (done >= 0) {
                throw new IllegalStateException("twice");
            }
            done = loadedBlocks;
        }
    }
}
