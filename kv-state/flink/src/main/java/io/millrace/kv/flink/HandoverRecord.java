package io.millrace.kv.flink;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.proto.Turn;
import java.util.Objects;

/** What Prefill hands to Decode: turns, and before them the KV blocks that it computed for them, in parts. */
public sealed interface HandoverRecord {
    /** The key of the stream: where the session lives. */
    SessionPlacement placement();

    /** A turn. */
    record OfTurn(Turn turn) implements HandoverRecord {
        public OfTurn {
            requireNonNull(turn, "turn");
        }

        @Override
        public SessionPlacement placement() {
            return new SessionPlacement(turn.getSessionId(), turn.getPlacementHash());
        }
    }

    /**
     * A part of a block's {@linkplain BlockValue value}. A sender sends a block's parts in their order, and those of
     * one block after those of another; so a receiver has at most one unfinished block of each sender.
     *
     * @param placement the session that the block was computed for
     * @param sender the index of the subtask that sends it
     * @param hash the block
     * @param valueBytes bytes of the whole value
     * @param offset where in the value this part begins
     * @param array holds the part's bytes. Its owner may use it again once the part was written to the network, so who
     *     keeps it copies them
     * @param from where in the array they begin
     * @param length how many they are
     */
    record OfBlock(
            SessionPlacement placement,
            int sender,
            BlockHash hash,
            int valueBytes,
            int offset,
            byte[] array,
            int from,
            int length)
            implements HandoverRecord {
        /** No part is larger: a damaged length must not become a huge allocation. */
        public static final int PART_BYTES_MAX = 1 << 20;

        public OfBlock {
            requireNonNull(placement, "placement");
            requireNonNull(hash, "hash");
            Objects.checkFromIndexSize(from, length, array.length);
            if (!fits(sender, valueBytes, offset, length)) {
                throw new IllegalArgumentException("no part of a value of " + valueBytes + " bytes has " + length
                        + " bytes at " + offset + ", from sender " + sender);
            }
        }

        /** Whether these can be numbers of a part. */
        static boolean fits(int sender, int valueBytes, int offset, int length) {
            return sender >= 0
                    && valueBytes > BlockValue.HEADER_BYTES
                    && length > 0
                    && length <= PART_BYTES_MAX
                    && offset >= 0
                    && offset <= valueBytes - length;
        }

        /** Whether this is the value's last part. */
        public boolean isLast() {
            return offset + length == valueBytes;
        }
    }
}
