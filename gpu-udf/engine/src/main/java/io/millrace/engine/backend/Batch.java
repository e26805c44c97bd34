package io.millrace.engine.backend;

/**
 * The paging contract between the scheduler and a model: flat arrays, allocated once and filled anew for each step.
 * Tokens of one sequence are consecutive, and so are their positions.
 *
 * <pre>
 *   sequence i has tokens   queryStart[i] .. queryStart[i+1]      (exclusive)
 *   token t                 tokenIds[t] at positions[t], written to slotMapping[t] = blockId * blockSize + offset
 *   sequence i has blocks   blockTables[blockTableStart[i]] ..    one for each blockSize positions from 0
 *   sequence i's context    contextLengths[i] = position of its last token in this batch + 1
 *   logits are wanted for   token rows logitsRows[0 .. logitsCount], rising; of a sequence it may be several
 *   of row i of those       sampling[i] says what is wanted: its logits, or the token that is chosen from them
 * </pre>
 */
public final class Batch {
    /** A row whose logits the host wants. */
    public static final int HOST = 0;
    /** A row of which the likeliest token is wanted, of equals the lowest. */
    public static final int GREEDY = 1;
    /** A row of which the token that {@link PlainSampler#choose} draws is wanted. */
    public static final int NOISE = 2;

    public final int[] tokenIds;
    public final int[] positions;
    public final int[] slotMapping;
    public final int[] queryStart;
    public final int[] contextLengths;
    public final int[] blockTableStart;
    public final int[] logitsRows;
    /**
     * Of each row of logits {@link #HOST}, {@link #GREEDY} or {@link #NOISE}. All are the first, unless {@link
     * ModelInstance#samples}.
     */
    public final int[] sampling;
    /** Of rows with noise: what the distance to the largest logit is multiplied with before the noise is added. */
    public final double[] scales;
    /** Of rows with noise: for {@link PlainSampler#minLogit}; negative infinity keeps all tokens. */
    public final double[] minLogitOffsets;
    /** Of rows with noise: the key for {@link SamplingNoise#bits}. */
    public final long[] noiseKeys;
    /** Grows when needed: as long as the longest sequences of a batch together need. */
    public int[] blockTables;

    public int tokenCount;
    public int sequenceCount;
    public int logitsCount;

    /** Allocates a batch of at most so many tokens and sequences, with a row of logits for each of those. */
    public Batch(int maxBatchTokens, int maxBatchSequences) {
        this(maxBatchTokens, maxBatchSequences, maxBatchSequences);
    }

    /** Allocates a batch of at most so many tokens, sequences, and rows of logits. */
    public Batch(int maxBatchTokens, int maxBatchSequences, int maxLogitsRows) {
        tokenIds = new int[maxBatchTokens];
        positions = new int[maxBatchTokens];
        slotMapping = new int[maxBatchTokens];
        queryStart = new int[maxBatchSequences + 1];
        contextLengths = new int[maxBatchSequences];
        blockTableStart = new int[maxBatchSequences + 1];
        logitsRows = new int[maxLogitsRows];
        sampling = new int[maxLogitsRows];
        scales = new double[maxLogitsRows];
        minLogitOffsets = new double[maxLogitsRows];
        noiseKeys = new long[maxLogitsRows];
        blockTables = new int[1024];
    }

    /** Empties the batch. */
    public void clear() {
        tokenCount = 0;
        sequenceCount = 0;
        logitsCount = 0;
    }
}
