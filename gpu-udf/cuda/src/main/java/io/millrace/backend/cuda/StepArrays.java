package io.millrace.backend.cuda;

/**
 * Where the numbers of one step lie, in the device's memory and in the host's page-locked copy alike: the header
 * ({@code StepHeader} of {@code abi.h}), then the arrays of a {@link io.millrace.engine.backend.Batch}. The block
 * tables come last, so that what a step does not use need not be copied.
 *
 * <p>Fields are offsets in bytes.
 */
final class StepArrays {
    static final int HEADER_BYTES = 64;
    private static final int ALIGNMENT = 64;

    final int tokenIds;
    final int positions;
    final int slots;
    final int queryStart;
    final int contextLengths;
    final int blockTableStart;
    final int logitsRows;
    /** {@code SampleRow} of each row of logits. */
    final int sampleRows;

    final int blockTables;
    final int byteCount;

    /** Bytes of a {@code SampleRow}. */
    static final int SAMPLE_ROW_BYTES = 32;

    private int next = HEADER_BYTES;

    StepArrays(Limits limits) {
        tokenIds = ints(limits.maxBatchTokens());
        positions = ints(limits.maxBatchTokens());
        slots = ints(limits.maxBatchTokens());
        queryStart = ints(limits.maxBatchSequences() + 1);
        contextLengths = ints(limits.maxBatchSequences());
        blockTableStart = ints(limits.maxBatchSequences());
        logitsRows = ints(limits.maxLogitsRows());
        sampleRows = ints(Math.multiplyExact(limits.maxLogitsRows(), SAMPLE_ROW_BYTES / Integer.BYTES));
        blockTables = ints(limits.blockTableEntries());
        byteCount = next;
    }

    private int ints(int count) {
        int start = next;
        int bytes = Math.multiplyExact(count, Integer.BYTES);
        next = Math.addExact(next, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
        return start;
    }
}
