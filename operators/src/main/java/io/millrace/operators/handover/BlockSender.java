package io.millrace.operators.handover;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.HeldBlocks;
import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockValue;
import io.millrace.kv.flink.HandoverRecord;
import io.millrace.kv.flink.HandoverSerializer;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.tiers.JobThread;
import io.millrace.operators.tiers.TaskThread;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Sends blocks of turns to Decode, each once it is computed:
 *
 * <pre>
 *   task thread       engine's thread     copy thread         task thread
 *   names blocks -->  holds them     -->  copies, lets go --> sends in parts, as the output has room
 * </pre>
 *
 * <p>Blocks of a step are held before the engine goes on, where the step's listener sees to it: see {@link #take}.
 * Those that it held before are asked for when they are copied, and come after the step that runs.
 *
 * <p>Copies are made into a fixed number of buffers, so a full output holds back the copies, these what waits for them,
 * and that the engine: see {@link #isFull}. A block that is gone before it was held is not sent, and Decode computes
 * it. Used on the task thread.
 */
public final class BlockSender {
    /** Copies under way: while one is made, the next is held. */
    private static final int COPIES_MAX = 2;
    /** Blocks of one copy: the first is sent early. */
    private static final int COPY_BLOCKS_MAX = 4;

    /** How blocks are held: as {@link io.millrace.engine.EngineLease#hold}. */
    @FunctionalInterface
    public interface Holder {
        void hold(List<BlockHash> hashes, Consumer<HeldBlocks> receiver);
    }

    /** Takes what is to be sent. */
    @FunctionalInterface
    public interface Output {
        /** Sends a record when there is room, behind those before it, and then does something, on the task thread. */
        void add(HandoverRecord part, TaskThread.Mail sent) throws Exception;
    }

    /**
     * What a sender is made of.
     *
     * @param whenRoom is called when the sender may be full no longer
     * @param sender the subtask's index
     * @param contentBytes bytes of a block's content
     * @param recordBytes bytes that a record had better not exceed: a network buffer's
     * @param bufferCount copies that there may be at a time
     * @param waitingBlocksMax blocks that may wait to be copied before the sender is full
     * @param sentBlocksMax blocks that a subtask of Decode is thought to hold of those that were sent to it
     */
    public record Parts(
            Holder holder,
            Output output,
            JobThread copyThread,
            TaskThread task,
            TaskThread.Mail whenRoom,
            HandoverCounters counters,
            LongSupplier nanoClock,
            int sender,
            int contentBytes,
            int recordBytes,
            int bufferCount,
            int waitingBlocksMax,
            int sentBlocksMax) {
        public Parts {
            requireNonNull(holder, "holder");
            requireNonNull(output, "output");
            requireNonNull(copyThread, "copyThread");
            requireNonNull(task, "task");
            requireNonNull(whenRoom, "whenRoom");
            requireNonNull(counters, "counters");
            requireNonNull(nanoClock, "nanoClock");
            if (bufferCount <= 0) {
                throw new IllegalArgumentException("bufferCount must be positive: " + bufferCount);
            }
        }
    }

    /** Parts have at least so many bytes, however small a network buffer is. */
    private static final int PART_BYTES_MIN = 1 << 12;

    private final Parts parts;
    private final HandoverCounters counters;
    private final int valueBytes;
    private final SentBlocks sent;
    private final Map<Key, OpenBlock> open = new HashMap<>();
    private final ArrayDeque<OpenBlock> waiting = new ArrayDeque<>();
    private final ArrayDeque<byte[]> freeBuffers = new ArrayDeque<>();
    private @Nullable SharedHold taking;
    private int madeBuffers;
    private int copies;

    private record Key(int target, BlockHash hash) {}

    /** A block that is on its way, and the turns that wait for it. */
    private static final class OpenBlock {
        final Key key;
        final SessionPlacement placement;
        final List<OutgoingTurn> turns = new ArrayList<>();
        final SharedHold.@Nullable Pin pin;

        OpenBlock(Key key, SessionPlacement placement, SharedHold.@Nullable Pin pin) {
            this.key = key;
            this.placement = placement;
            this.pin = pin;
        }
    }

    /** A sender that has sent nothing. */
    public BlockSender(Parts parts) {
        this.parts = requireNonNull(parts, "parts");
        this.counters = parts.counters();
        this.valueBytes = BlockValue.valueBytes(parts.contentBytes());
        this.sent = new SentBlocks(parts.sentBlocksMax());
    }

    /**
     * How many of the first blocks of a chain a subtask of Decode is thought to hold.
     *
     * @param knownBlocks how many it has by the session's turn before
     */
    public int heldBlocks(int target, List<BlockHash> chain, int knownBlocks) {
        int held = Math.min(knownBlocks, chain.size());
        while (held < chain.size() && sent.contains(target, chain.get(held))) {
            held++;
        }
        return held;
    }

    /** A turn's prompt is computed from now on. Parameters as those of {@link #heldBlocks}. */
    public OutgoingTurn begin(SessionPlacement placement, int target, List<BlockHash> chain, int knownBlocks) {
        return new OutgoingTurn(placement, target, chain, Math.min(knownBlocks, chain.size()));
    }

    /** The first so many blocks of a turn are there: sends those that Decode is not thought to hold. */
    public void advanced(OutgoingTurn turn, int blocks) throws Exception {
        long nowNanos = parts.nanoClock().getAsLong();
        for (BlockHash hash = turn.nextOf(blocks); hash != null; hash = turn.nextOf(blocks)) {
            if (sent.contains(turn.target(), hash)) {
                counters.skippedBlocks.increment();
                continue;
            }
            Key key = new Key(turn.target(), hash);
            OpenBlock block = open.get(key);
            if (block == null) {
                block = new OpenBlock(key, turn.placement(), taking == null ? null : taking.take(hash));
                open.put(key, block);
                waiting.add(block);
            }
            block.turns.add(turn);
            turn.opened(nowNanos);
        }
        pump();
    }

    /**
     * Takes blocks that the engine holds, as far as they are to be sent by what is done in this; the others are let go.
     *
     * @param held blocks that a step computed
     */
    public void take(HeldBlocks held, TaskThread.Mail events) throws Exception {
        SharedHold shared = new SharedHold(held);
        taking = shared;
        try {
            events.run();
        } finally {
            taking = null;
            shared.releaseRest();
        }
    }

    /** All blocks of a turn are there: sends the rest, and does something once all were sent or given up. */
    public void finish(OutgoingTurn turn, TaskThread.Mail whenSent) throws Exception {
        advanced(turn, turn.blockCount());
        if (turn.finish(parts.nanoClock().getAsLong(), whenSent)) {
            end(turn);
        }
    }

    /** Sends nothing more for a turn, as far as nobody else waits for it, and forgets what was to be done behind it. */
    public void drop(OutgoingTurn turn) {
        for (OpenBlock block : open.values()) {
            block.turns.remove(turn);
        }
        waiting.removeIf(block -> {
            boolean unwanted = block.turns.isEmpty();
            if (unwanted) {
                open.remove(block.key);
                if (block.pin != null) {
                    block.pin.close();
                }
            }
            return unwanted;
        });
    }

    /** Whether so many blocks wait that the engine had better not compute more. */
    public boolean isFull() {
        return waiting.size() > parts.waitingBlocksMax();
    }

    private void pump() throws Exception {
        boolean wasFull = isFull();
        while (copies < COPIES_MAX && !waiting.isEmpty() && freeBufferCount() > 0) {
            copyNext();
        }
        if (wasFull && !isFull()) {
            parts.whenRoom().run();
        }
    }

    /** Orders a copy of the next blocks: of those that are held, or of those that are not. */
    private void copyNext() {
        List<OpenBlock> blocks = new ArrayList<>();
        List<byte[]> buffers = new ArrayList<>();
        boolean pinned = waiting.element().pin != null;
        while (blocks.size() < COPY_BLOCKS_MAX
                && !waiting.isEmpty()
                && (waiting.element().pin != null) == pinned
                && freeBufferCount() > 0) {
            blocks.add(waiting.remove());
            buffers.add(takeBuffer());
        }
        copies++;
        if (pinned) {
            order(new Copy(blocks, buffers, null));
            return;
        }
        List<BlockHash> hashes = blocks.stream().map(block -> block.key.hash()).toList();
        parts.holder().hold(hashes, held -> order(new Copy(blocks, buffers, held)));
    }

    private void order(Copy copy) {
        if (!parts.copyThread().offer(copy)) {
            copy.abandon();
            copy.mail();
        }
    }

    private int freeBufferCount() {
        return freeBuffers.size() + parts.bufferCount() - madeBuffers;
    }

    private byte[] takeBuffer() {
        byte[] buffer = freeBuffers.poll();
        if (buffer == null) {
            madeBuffers++;
            buffer = new byte[valueBytes];
        }
        return buffer;
    }

    private void copied(Copy copy) throws Exception {
        copies--;
        for (int i = 0; i < copy.blocks.size(); i++) {
            OpenBlock block = copy.blocks.get(i);
            byte[] buffer = copy.buffers.get(i);
            if (!copy.copied[i]) {
                counters.goneBlocks.increment();
                close(block, buffer);
            } else if (block.turns.isEmpty()) {
                close(block, buffer);
            } else {
                send(block, buffer);
            }
        }
        pump();
    }

    private void send(OpenBlock block, byte[] buffer) throws Exception {
        int partBytes = Math.min(
                HandoverRecord.OfBlock.PART_BYTES_MAX,
                Math.max(PART_BYTES_MIN, parts.recordBytes() - HandoverSerializer.partOverheadBytes(block.placement)));
        for (int from = 0; from < valueBytes; from += partBytes) {
            int length = Math.min(partBytes, valueBytes - from);
            HandoverRecord.OfBlock part = new HandoverRecord.OfBlock(
                    block.placement, parts.sender(), block.key.hash(), valueBytes, from, buffer, from, length);
            parts.output().add(part, part.isLast() ? () -> sent(block, buffer) : () -> {});
        }
    }

    private void sent(OpenBlock block, byte[] buffer) throws Exception {
        sent.add(block.key.target(), block.key.hash());
        counters.sentBlocks.increment();
        counters.sentBytes.add(valueBytes);
        close(block, buffer);
        pump();
    }

    private void close(OpenBlock block, byte[] buffer) throws Exception {
        freeBuffers.add(buffer);
        open.remove(block.key, block);
        long nowNanos = parts.nanoClock().getAsLong();
        for (OutgoingTurn turn : List.copyOf(block.turns)) {
            if (turn.closed(nowNanos)) {
                end(turn);
            }
        }
    }

    private void end(OutgoingTurn turn) throws Exception {
        long exposedNanos = turn.exposedNanos(parts.nanoClock().getAsLong());
        counters.openNanos.add(turn.openNanos());
        counters.exposedNanos.add(exposedNanos);
        counters.exposedSeconds.update(exposedNanos);
        turn.whenSent().run();
    }

    /** Copies a few blocks on the copy thread. */
    private final class Copy implements JobThread.Job {
        final List<OpenBlock> blocks;
        final List<byte[]> buffers;
        final boolean[] copied;
        private final @Nullable HeldBlocks held;

        /** A copy of blocks, of which each has a pin, or that were held for it. */
        Copy(List<OpenBlock> blocks, List<byte[]> buffers, @Nullable HeldBlocks held) {
            this.blocks = blocks;
            this.buffers = buffers;
            this.held = held;
            this.copied = new boolean[blocks.size()];
        }

        @Override
        public void run() {
            try {
                if (held == null) {
                    copyPinned();
                } else {
                    copyHeld(held);
                }
            } finally {
                letGo();
                mail();
            }
        }

        private void copyPinned() {
            for (int i = 0; i < blocks.size(); i++) {
                copy(i, requireNonNull(blocks.get(i).pin, "pin")::read);
            }
        }

        private void copyHeld(HeldBlocks from) {
            int next = 0;
            for (int i = 0; i < from.size(); i++) {
                while (!blocks.get(next).key.hash().equals(from.hash(i))) {
                    next++;
                }
                int index = i;
                copy(next, target -> from.read(index, target));
            }
        }

        private void copy(int block, Consumer<ByteBuffer> read) {
            long beginNanos = parts.nanoClock().getAsLong();
            ByteBuffer value = ByteBuffer.wrap(buffers.get(block));
            read.accept(value.duplicate().position(BlockValue.HEADER_BYTES));
            BlockValue.encodeHeader(blocks.get(block).key.hash(), value);
            copied[block] = true;
            counters.copySeconds.update(parts.nanoClock().getAsLong() - beginNanos);
        }

        @Override
        public void abandon() {
            Arrays.fill(copied, false);
            letGo();
        }

        private void letGo() {
            if (held != null) {
                held.close();
            }
            for (OpenBlock block : blocks) {
                if (block.pin != null) {
                    block.pin.close();
                }
            }
        }

        void mail() {
            // Where the task has ended nobody waits for the copies.
            parts.task().mail(() -> copied(this), "blocks copied");
        }
    }
}
