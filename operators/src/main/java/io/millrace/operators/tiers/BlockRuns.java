package io.millrace.operators.tiers;

import com.google.protobuf.ByteString;
import io.millrace.kv.BlockHash;
import io.millrace.proto.BlockRun;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Reads and makes {@link BlockRun}s. */
final class BlockRuns {
    private BlockRuns() {}

    /** A run of stored blocks, or, with no bytes of values, of shared ones. */
    static BlockRun of(long firstKey, List<BlockHash> hashes, long valueBytes, long nowMs) {
        byte[] bytes = new byte[hashes.size() * BlockHash.BYTES];
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        hashes.forEach(hash -> buffer.put(hash.toBytes()));
        return BlockRun.newBuilder()
                .setFirstKey(firstKey)
                .setHashes(ByteString.copyFrom(bytes))
                .setValueBytes(valueBytes)
                .setWrittenMs(nowMs)
                .setShared(valueBytes == 0)
                .build();
    }

    /** Number of a run's blocks. */
    static int count(BlockRun run) {
        return run.getHashes().size() / BlockHash.BYTES;
    }

    /** The names of a run's blocks, in the order of the chain. */
    static List<BlockHash> hashes(BlockRun run) {
        ByteBuffer bytes = run.getHashes().asReadOnlyByteBuffer();
        List<BlockHash> hashes = new ArrayList<>(count(run));
        while (bytes.remaining() >= BlockHash.BYTES) {
            hashes.add(new BlockHash(bytes.getLong(), bytes.getLong(), bytes.getLong(), bytes.getLong()));
        }
        return hashes;
    }
}
