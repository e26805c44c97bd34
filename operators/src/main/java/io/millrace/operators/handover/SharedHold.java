package io.millrace.operators.handover;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.HeldBlocks;
import io.millrace.kv.BlockHash;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** Blocks that are held together and let go of one by one: with the last of them the hold ends. */
final class SharedHold {
    private final HeldBlocks held;
    private final Map<BlockHash, Integer> untaken = new HashMap<>();
    /** Pins that are not closed, and one more until the rest is released. */
    private final AtomicInteger uses = new AtomicInteger(1);

    SharedHold(HeldBlocks held) {
        this.held = requireNonNull(held, "held");
        for (int i = 0; i < held.size(); i++) {
            untaken.put(held.hash(i), i);
        }
    }

    /** A block of the hold, which is kept until the pin is closed; null if it is not held, or was taken before. */
    @Nullable
    Pin take(BlockHash hash) {
        Integer index = untaken.remove(hash);
        if (index == null) {
            return null;
        }
        uses.incrementAndGet();
        return new Pin(index);
    }

    /** Nothing more is taken. */
    void releaseRest() {
        release();
    }

    private void release() {
        if (uses.decrementAndGet() == 0) {
            held.close();
        }
    }

    /** One block of the hold. Closed once, by any thread. */
    final class Pin {
        private final int index;

        private Pin(int index) {
            this.index = index;
        }

        /** As {@link HeldBlocks#read}. */
        void read(ByteBuffer target) {
            held.read(index, target);
        }

        void close() {
            release();
        }
    }
}
