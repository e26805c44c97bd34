package io.millrace.backend.cuda;

import io.millrace.engine.backend.Batch;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;

/** The page-locked copy of a step's numbers. */
final class StepBlock {
    private final StepArrays arrays;
    private final ByteBuffer memory;
    private final IntBuffer ints;
    private final int blockSizeTokens;

    /** With little-endian memory of {@link StepArrays#byteCount} bytes. */
    StepBlock(StepArrays arrays, ByteBuffer memory, int blockSizeTokens) {
        this.arrays = arrays;
        this.memory = memory;
        this.ints = memory.asIntBuffer();
        this.blockSizeTokens = blockSizeTokens;
    }

    /** Writes a batch; returns what is to be copied to the device. */
    ByteBuffer fill(Batch batch) {
        ints.put(0, batch.tokenCount);
        ints.put(1, batch.sequenceCount);
        ints.put(2, batch.logitsCount);
        put(arrays.tokenIds, batch.tokenIds, batch.tokenCount);
        put(arrays.positions, batch.positions, batch.tokenCount);
        put(arrays.slots, batch.slotMapping, batch.tokenCount);
        put(arrays.queryStart, batch.queryStart, batch.sequenceCount + 1);
        put(arrays.contextLengths, batch.contextLengths, batch.sequenceCount);
        put(arrays.blockTableStart, batch.blockTableStart, batch.sequenceCount);
        put(arrays.logitsRows, batch.logitsRows, batch.logitsCount);
        for (int row = 0; row < batch.logitsCount; row++) {
            int at = arrays.sampleRows + row * StepArrays.SAMPLE_ROW_BYTES;
            memory.putDouble(at, batch.scales[row]);
            memory.putDouble(at + 8, batch.minLogitOffsets[row]);
            memory.putLong(at + 16, batch.noiseKeys[row]);
            memory.putInt(at + 24, batch.sampling[row]);
        }
        int entries = 0;
        for (int sequence = 0; sequence < batch.sequenceCount; sequence++) {
            int blocks = (batch.contextLengths[sequence] + blockSizeTokens - 1) / blockSizeTokens;
            entries = Math.max(entries, batch.blockTableStart[sequence] + blocks);
        }
        put(arrays.blockTables, batch.blockTables, entries);
        return memory.duplicate().limit(arrays.blockTables + entries * Integer.BYTES);
    }

    private void put(int offset, int[] from, int count) {
        ints.put(offset / Integer.BYTES, from, 0, count);
    }
}
