package io.millrace.engine.backend;

import io.millrace.kv.KvBlockLayout;
import io.millrace.model.ModelSpec;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Consumer;

/**
 * One model on one device: its weights and the memory of its KV blocks. Used by one thread, the engine's, except for
 * the copies of blocks.
 */
public interface ModelInstance extends AutoCloseable {
    /** What the model is. */
    ModelSpec modelSpec();

    /** How this instance lays a KV block out. */
    KvBlockLayout kvLayout();

    /** Number of KV blocks; block ids are 0 to this, exclusive. */
    int blockCount();

    /**
     * Whether the instance chooses tokens itself where a batch asks for it ({@link Batch#sampling}). Otherwise every
     * row is the host's.
     */
    default boolean samples() {
        return false;
    }

    /**
     * Runs until later calls of {@link #execute} take their usual time: compiles, touches memory, captures graphs. KV
     * blocks may be overwritten: called before the first batch.
     */
    void warmUp(Consumer<String> progress);

    /**
     * Runs one batch: writes the keys and values of every token to its slot, and the logits of the rows that the batch
     * asks for, or the tokens chosen from them, to {@code result}. The logits of a row are a function of its
     * sequence's tokens alone, bit for bit: they depend neither on the other rows of the batch nor on how the sequence
     * was cut into batches.
     *
     * @throws DeviceLostException if no batch can be run any more; whatever else is thrown fails this one alone
     */
    void execute(Batch batch, ForwardResult result);

    /**
     * Copies a block out: all its elements in the order of {@link #kvLayout} and of its element type, little-endian
     * whatever the target's own byte order. Any thread, beside {@link #execute}, for a block that no batch and no copy
     * writes meanwhile.
     *
     * @param target gets {@link KvBlockLayout#blockBytes} bytes from its position on, which moves behind them
     * @throws IllegalStateException if the instance is closed
     * @throws java.nio.BufferOverflowException if the target has not so much room
     */
    void readBlock(int blockId, ByteBuffer target);

    /**
     * Copies a block in, as {@link #readBlock} gave it. Any thread, beside {@link #execute}, for a block that no batch
     * and no copy uses meanwhile.
     *
     * @param source {@link KvBlockLayout#blockBytes} bytes from its position to its limit, which stay as they are
     * @throws IllegalStateException if the instance is closed
     * @throws IllegalArgumentException if it is not so many bytes
     */
    void writeBlock(int blockId, ByteBuffer source);

    /**
     * Prepares memory of the host's for copies of blocks straight from and to it, where that makes them faster. Any
     * thread.
     *
     * @param memory direct buffers, whole; they stay valid until what is returned was run
     * @return ends it, once no copy uses the memory any more; does nothing after {@link #close}
     */
    default Runnable pageLock(List<ByteBuffer> memory) {
        return () -> {};
    }

    /** Frees everything, once the copies that run have ended. Those that come later throw. */
    @Override
    void close();
}
