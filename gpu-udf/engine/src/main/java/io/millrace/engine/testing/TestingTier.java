package io.millrace.engine.testing;

import io.millrace.engine.HeldBlocks;
import io.millrace.engine.LoadTarget;
import io.millrace.engine.PrefixSource;
import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockHasher;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * A tier below the device, in a map: keeps what is saved, loses and damages it when told to, and loads it when told to.
 * Safe for several threads.
 */
public final class TestingTier {
    private final int blockBytes;
    private final Map<BlockHash, Value> values = new LinkedHashMap<>();
    private final ArrayDeque<Load> loads = new ArrayDeque<>();
    private int earlyEnds;

    /** An empty tier for blocks of so many bytes. */
    public TestingTier(int blockBytes) {
        this.blockBytes = blockBytes;
    }

    /** The names of all full blocks of these tokens. */
    public static List<BlockHash> chain(int blockSizeTokens, String blockIdentity, String cacheSalt, int[] tokens) {
        BlockHasher hasher = new BlockHasher(blockSizeTokens);
        List<BlockHash> chain = new ArrayList<>();
        BlockHash hash = hasher.root(blockIdentity, cacheSalt);
        for (int from = 0; from + blockSizeTokens <= tokens.length; from += blockSizeTokens) {
            hash = hasher.child(hash, tokens, from);
            chain.add(hash);
        }
        return chain;
    }

    /** Saves blocks and lets go of them. */
    public void save(HeldBlocks held) {
        for (int i = 0; i < held.size(); i++) {
            ByteBuffer content = ByteBuffer.allocate(blockBytes);
            held.read(i, content);
            put(held.hash(i), new Value(content.array(), checksum(content.array())));
        }
        held.close();
    }

    /** Number of blocks. */
    public synchronized int size() {
        return values.size();
    }

    /** How often a load ended before its last block, because a block was not here, or damaged, or told to. */
    public synchronized int earlyEnds() {
        return earlyEnds;
    }

    /** Number of loads that have not ended. */
    public synchronized int loadCount() {
        return loads.size();
    }

    /** Loses a block. */
    public synchronized void lose(Random random) {
        if (!values.isEmpty()) {
            values.remove(any(random));
        }
    }

    /** Flips a bit of a block, which is found out when it is loaded. */
    public synchronized void damage(Random random) {
        if (!values.isEmpty()) {
            BlockHash hash = any(random);
            Value value = value(hash);
            values.put(hash, new Value(flip(value.content, random), value.checksum));
        }
    }

    /** Flips a bit of a block as if it had been saved so: nobody but the model can find it out. */
    public synchronized void garble(Random random) {
        if (!values.isEmpty()) {
            BlockHash hash = any(random);
            byte[] content = flip(value(hash).content, random);
            values.put(hash, new Value(content, checksum(content)));
        }
    }

    /** A source that promises those blocks of a chain that are here, one behind the other, and loads when told to. */
    public PrefixSource source(List<BlockHash> chain) {
        return new PrefixSource() {
            @Override
            public int blocksToLoad(int firstBlock, int endBlock) {
                int end = Math.min(endBlock, chain.size());
                return firstBlock < end ? present(chain.subList(firstBlock, end)) : 0;
            }

            @Override
            public void load(int firstBlock, LoadTarget target) {
                add(new Load(chain.subList(firstBlock, firstBlock + target.blockCount()), target));
            }
        };
    }

    /** Loads one block of some load, or ends it, if there is one. */
    public void loadSome(Random random) {
        Load load = take(random);
        // Mostly it goes on where it is not wanted any more: it may, and the blocks are still its own.
        if (load != null && !load.step(random.nextInt(load.target.isWanted() ? 30 : 4) == 0)) {
            add(load);
        }
    }

    /**
     * Finishes the load that waits longest, if there is one.
     *
     * @return whether there was one
     */
    public boolean loadAll() {
        Load load = take(null);
        while (load != null && !load.step(!load.target.isWanted())) {
            // One block a step.
        }
        return load != null;
    }

    private synchronized int present(List<BlockHash> chain) {
        int present = 0;
        while (present < chain.size() && values.containsKey(chain.get(present))) {
            present++;
        }
        return present;
    }

    private synchronized void add(Load load) {
        loads.add(load);
    }

    private synchronized @Nullable Load take(@Nullable Random random) {
        for (int i = random == null || loads.isEmpty() ? 0 : random.nextInt(loads.size()); i > 0; i--) {
            loads.add(loads.remove());
        }
        return loads.poll();
    }

    private synchronized void put(BlockHash hash, Value value) {
        values.put(hash, value);
    }

    private synchronized @Nullable Value get(BlockHash hash) {
        return values.get(hash);
    }

    private synchronized void countEarlyEnd() {
        earlyEnds++;
    }

    private BlockHash any(Random random) {
        return List.copyOf(values.keySet()).get(random.nextInt(values.size()));
    }

    private Value value(BlockHash hash) {
        Value value = values.get(hash);
        if (value == null) {
            throw new AssertionError("the tier has no block " + hash);
        }
        return value;
    }

    private static byte[] flip(byte[] content, Random random) {
        byte[] flipped = content.clone();
        // The sign of an element, which matters to every model.
        flipped[random.nextInt(content.length / 4) * 4 + 3] ^= (byte) 0x80;
        return flipped;
    }

    private static long checksum(byte[] content) {
        CRC32C checksum = new CRC32C();
        checksum.update(content);
        return checksum.getValue();
    }

    private record Value(byte[] content, long checksum) {}

    /** One load, of which so many blocks are written. */
    private final class Load {
        private final List<BlockHash> chain;
        private final LoadTarget target;
        private int written;

        Load(List<BlockHash> chain, LoadTarget target) {
            this.chain = chain;
            this.target = target;
        }

        /** Writes a block or ends the load. Returns whether it has ended. */
        boolean step(boolean gaveUp) {
            Value value = written == chain.size() ? null : get(chain.get(written));
            if (value == null || checksum(value.content) != value.checksum || gaveUp) {
                if (written < chain.size()) {
                    countEarlyEnd();
                }
                target.done(written);
                return true;
            }
            try {
                target.write(written, ByteBuffer.wrap(value.content));
            } catch (IllegalStateException e) {
                // The lease or the engine has ended, and the load with it.
                return true;
            }
            written++;
            return false;
        }
    }
}
