package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockHasher;
import io.millrace.kv.BlockTable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A request's life in the engine: its tokens so far, how many of them are computed, and the blocks that hold them. Only
 * its scheduler's thread changes it.
 *
 * <pre>
 *   WAITING --> PREFILLING --> DECODING --> FINISHED        (and to FINISHED from everywhere)
 *      |           ^  |  ^          |
 *      v           |  v  |          |
 *   LOADING -------+  PREEMPTED <---+
 *      ^                 |
 *      +-----------------+
 * </pre>
 */
final class Sequence implements Comparable<Sequence> {
    /** Where a sequence is in its life. */
    enum State {
        WAITING,
        /** Its source fills blocks of its table. */
        LOADING,
        PREFILLING,
        DECODING,
        PREEMPTED,
        FINISHED
    }

    /** Arrival times and priorities further apart than this many nanoseconds, 31 years, count as this far apart. */
    private static final long ORDER_SPAN_NANOS = 1_000_000_000_000_000_000L;

    private static final long NANOS_PER_SECOND = 1_000_000_000L;

    private final SequenceRequest request;
    private final SequenceOwner owner;
    private final long orderNanos;
    private final long admissionNumber;
    private final BlockTable table;
    private final BlockHash root;
    private final List<BlockHash> hashes = new ArrayList<>();
    private int[] tokens;
    private int tokenCount;

    State state = State.WAITING;
    /** Tokens whose keys and values are in the table's blocks. */
    int computedTokens;
    /** Leading blocks of the table that are findable. */
    int publishedBlocks;
    /** Blocks of the table behind those that are being loaded. */
    int loadingBlocks;
    /** Prompt tokens that were found in the cache instead of being computed, before any preemption. */
    private int cachedTokens;
    /** Whether it ever lost its blocks. What it finds after that it has computed itself, mostly. */
    boolean preempted;
    /** Tokens that end it, sorted. */
    final int[] endTokens;
    /** Set once by any thread that wants it to end early. */
    final AtomicBoolean cancelled = new AtomicBoolean();

    /** What the tokens behind those so far may be; null where that is anything. */
    @Nullable
    Constraint constraint;

    /** What is guessed of it; null as long as nothing was. */
    @Nullable
    Draft draft;

    private @Nullable TokenCounts counts;

    /**
     * A sequence that waits.
     *
     * @param admissionNumber breaks ties in the order of arrival
     * @param originNanos a time near which arrivals are, by their clock
     * @param table its own, empty
     * @param root the parent of its first block's name
     * @param endTokens tokens that end it, sorted
     * @param constraint the state behind the tokens that exist already, or null
     */
    Sequence(
            SequenceRequest request,
            SequenceOwner owner,
            long admissionNumber,
            long originNanos,
            BlockTable table,
            BlockHash root,
            int[] endTokens,
            @Nullable Constraint constraint) {
        this.request = requireNonNull(request, "request");
        this.owner = requireNonNull(owner, "owner");
        this.admissionNumber = admissionNumber;
        this.root = requireNonNull(root, "root");
        orderNanos = clampOrder(request.arrivalNanos() - originNanos)
                - clampOrder(Math.max(0, request.priority()) * NANOS_PER_SECOND);
        this.table = requireNonNull(table, "table");
        int promptTokens = request.promptTokens().length;
        int generatedTokens = request.generatedTokens().length;
        tokens = Arrays.copyOf(request.promptTokens(), promptTokens + generatedTokens);
        System.arraycopy(request.generatedTokens(), 0, tokens, promptTokens, generatedTokens);
        tokenCount = tokens.length;
        this.endTokens = requireNonNull(endTokens, "endTokens");
        this.constraint = constraint;
    }

    SequenceRequest request() {
        return request;
    }

    SequenceOwner owner() {
        return owner;
    }

    BlockTable table() {
        return table;
    }

    int[] tokens() {
        return tokens;
    }

    /** Tokens of the prompt and the output so far. */
    int tokenCount() {
        return tokenCount;
    }

    /** Tokens of the output so far. */
    int outputTokens() {
        return tokenCount - request.promptTokens().length;
    }

    /** Prompt tokens that were found in the cache instead of being computed. */
    int cachedTokens() {
        return cachedTokens;
    }

    /** Notes tokens that were found in the cache, or loaded. */
    void countCached(int foundTokens) {
        if (!preempted) {
            cachedTokens = Math.min(cachedTokens + foundTokens, request.promptTokens().length);
        }
    }

    boolean isPrefillOnly() {
        return request.purpose() != SequenceRequest.Purpose.GENERATE;
    }

    /** Whether it has blocks. */
    boolean isRunning() {
        return state == State.LOADING || state == State.PREFILLING || state == State.DECODING;
    }

    /** Whether its lease wants to know how far its prefill is. */
    boolean isHandedOver() {
        return request.purpose() == SequenceRequest.Purpose.HAND_OVER;
    }

    /** Tokens of the leading whole blocks that do not hold the last token. */
    int shareableTokens(int blockSizeTokens) {
        return (tokenCount - 1) / blockSizeTokens * blockSizeTokens;
    }

    /** Tokens to have computed before the next token is sampled, or before a prefill-only sequence ends. */
    int targetTokens(int blockSizeTokens) {
        return isPrefillOnly() ? shareableTokens(blockSizeTokens) : tokenCount;
    }

    /** Whole blocks that do not hold the last token. */
    int shareableBlocks(int blockSizeTokens) {
        return (tokenCount - 1) / blockSizeTokens;
    }

    /** Tokens still to compute before the next one is sampled, where they are not being loaded. */
    int missingTokens(int blockSizeTokens) {
        return targetTokens(blockSizeTokens) - computedTokens - loadingBlocks * blockSizeTokens;
    }

    /** Appends a sampled token. */
    void append(int tokenId) {
        if (tokenCount == tokens.length) {
            tokens = Arrays.copyOf(tokens, Math.max(16, tokens.length + tokens.length / 2));
        }
        tokens[tokenCount] = tokenId;
        tokenCount++;
        if (counts != null) {
            counts.addOutput(tokenId);
        }
    }

    /** The tokens so far as penalties need them, or null where no penalty is on. */
    @Nullable
    TokenCounts counts() {
        SamplingParameters sampling = request.sampling();
        boolean penalised = sampling.repetitionPenalty() != 1
                || sampling.presencePenalty() != 0
                || sampling.frequencyPenalty() != 0;
        if (counts == null && penalised) {
            counts = new TokenCounts();
            int promptTokens = request.promptTokens().length;
            for (int i = 0; i < promptTokens; i++) {
                counts.addPrompt(tokens[i]);
            }
            for (int i = promptTokens; i < tokenCount; i++) {
                counts.addOutput(tokens[i]);
            }
        }
        return counts;
    }

    /** The name of a full block of this sequence's tokens. */
    BlockHash hash(int blockIndex, BlockHasher hasher) {
        while (hashes.size() <= blockIndex) {
            int next = hashes.size();
            assert (next + 1) * hasher.blockSizeTokens() <= tokenCount : "block " + next + " is not full";
            BlockHash parent = next == 0 ? root : hashes.get(next - 1);
            hashes.add(hasher.child(parent, tokens, next * hasher.blockSizeTokens()));
        }
        return hashes.get(blockIndex);
    }

    /** Orders by arrival less the priority's seconds, then by admission. Equal only to itself. */
    @Override
    public int compareTo(Sequence other) {
        int byOrder = Long.compare(orderNanos, other.orderNanos);
        return byOrder != 0 ? byOrder : Long.compare(admissionNumber, other.admissionNumber);
    }

    @Override
    public String toString() {
        return request.sequenceId() + "(" + state + ", " + computedTokens + " of " + tokenCount + " tokens computed)";
    }

    private static long clampOrder(long nanos) {
        return Math.max(-ORDER_SPAN_NANOS, Math.min(ORDER_SPAN_NANOS, nanos));
    }
}
