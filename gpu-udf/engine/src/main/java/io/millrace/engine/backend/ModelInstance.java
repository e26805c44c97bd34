package io.millrace.engine.backend;

import io.millrace.kv.KvBlockLayout;
import io.millrace.model.ModelSpec;
import java.util.function.Consumer;

/** One model on one device: its weights and the memory of its KV blocks. Used by one thread, the engine's. */
public interface ModelInstance extends AutoCloseable {
    /** What the model is. */
    ModelSpec modelSpec();

    /** How this instance lays a KV block out. */
    KvBlockLayout kvLayout();

    /** Number of KV blocks; block ids are 0 to this, exclusive. */
    int blockCount();

    /**
     * Runs until later calls of {@link #execute} take their usual time: compiles, touches memory, captures graphs. KV
     * blocks may be overwritten: called before the first batch.
     */
    void warmUp(Consumer<String> progress);

    /**
     * Runs one batch: writes the keys and values of every token to its slot, and the logits of the rows that the batch
     * asks for to {@code result}. The logits of a row are a function of its sequence's tokens alone, bit for bit: they
     * depend neither on the other rows of the batch nor on how the sequence was cut into batches.
     */
    void execute(Batch batch, ForwardResult result);

    @Override
    void close();
}
