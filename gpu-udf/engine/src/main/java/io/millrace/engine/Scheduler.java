package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Sequence.State;
import io.millrace.kv.BlockPool;
import io.millrace.kv.BlockTable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Decides what each step computes: continuous batching of decodes and chunked prefills under a token budget. A
 * deterministic state machine without threads and clocks.
 *
 * <p>One order rules everything: arrival less the priority's seconds. In a step, running decodes come first, with one
 * token each; then running prefills, with as many tokens as the budget has left; then waiting sequences are admitted
 * while there is budget and there are blocks for their whole prompts. One row and one token are kept from decodes while
 * a prefill runs, so neither starves the other.
 *
 * <p>When blocks run out, the last sequence in the order loses its own and waits again, at the place that the order
 * gives it. The first in the order is therefore never held up by anything but its own lease, later arrivals cannot
 * overtake for ever, and so everything ends. What a preempted sequence computed stays findable until it is reused.
 *
 * <p>Sequences of one prompt do not compute it side by side: those behind wait for the blocks that the first computes
 * in this step, and take them from the index in the next.
 *
 * <p>Blocks that the device does not hold may be had from a sequence's prefix source, which is asked when the sequence
 * is admitted. While it loads, the sequence has its blocks and is passed over: it cannot lose them, because another
 * thread writes to them, and who wants the same blocks waits for them as for those that are computed. A sequence that
 * ends meanwhile leaves its blocks to the load, until that has ended.
 */
final class Scheduler {
    /** Of so many blocks one is kept free at admission, for running sequences to grow into. */
    private static final int BLOCKS_PER_SPARE = 100;

    private final BlockPool pool;
    private final PrefixBlocks prefixes;
    private final PrefixLoads loads;
    private final int blockSizeTokens;
    private final StepPlan plan;
    private final int maxBatchTokens;
    private final int maxBatchSequences;
    /** Waiting and preempted sequences, in their order. */
    private final TreeSet<Sequence> waiting = new TreeSet<>();
    /** Sequences that hold blocks, in their order. */
    private final List<Sequence> running = new ArrayList<>();

    private long waitingTokens;
    private long preemptions;
    private boolean preemptedInStep;

    /**
     * A scheduler without sequences.
     *
     * @param prefixes of the same pool
     */
    Scheduler(BlockPool pool, PrefixBlocks prefixes, int blockSizeTokens, int maxBatchTokens, int maxBatchSequences) {
        this.pool = requireNonNull(pool, "pool");
        this.prefixes = requireNonNull(prefixes, "prefixes");
        this.loads = prefixes.loads();
        this.blockSizeTokens = blockSizeTokens;
        this.maxBatchTokens = maxBatchTokens;
        this.maxBatchSequences = maxBatchSequences;
        plan = new StepPlan(maxBatchTokens, maxBatchSequences);
    }

    int waitingCount() {
        return waiting.size();
    }

    int runningCount() {
        return running.size();
    }

    long preemptions() {
        return preemptions;
    }

    /** Tokens that waiting and running sequences have to compute before their next tokens are sampled. */
    long queuedPromptTokens() {
        long tokens = waitingTokens;
        for (Sequence sequence : running) {
            tokens += sequence.state == State.DECODING ? 0 : sequence.missingTokens(blockSizeTokens);
        }
        return tokens;
    }

    /** All sequences, in no promised order. */
    List<Sequence> sequences() {
        List<Sequence> all = new ArrayList<>(running);
        all.addAll(waiting);
        return all;
    }

    /** Takes a sequence into the waiting queue. */
    void add(Sequence sequence) {
        waiting.add(sequence);
        waitingTokens += sequence.missingTokens(blockSizeTokens);
    }

    /**
     * Ends a sequence in whatever state it is. Its blocks become free, and stay findable; those that are being loaded
     * become free when that ends.
     */
    void remove(Sequence sequence) {
        if (sequence.isRunning()) {
            running.remove(runningIndex(sequence));
            if (sequence.state == State.LOADING) {
                loads.abandon(sequence);
            } else {
                sequence.table().releaseAll();
            }
        } else if (waiting.remove(sequence)) {
            waitingTokens -= sequence.missingTokens(blockSizeTokens);
        }
        sequence.state = State.FINISHED;
    }

    /** Decides what the next step computes. The plan is valid until the next call. */
    StepPlan schedule() {
        plan.clear();
        prefixes.beginStep();
        preemptedInStep = false;
        scheduleRunning();
        if (!preemptedInStep) {
            admitWaiting();
        }
        if (plan.isEmpty()) {
            breakStall();
        }
        return plan;
    }

    /** Notes that a step computed so many tokens of a sequence, and publishes the blocks that they filled. */
    void advance(Sequence sequence, int tokens) {
        sequence.computedTokens += tokens;
        prefixes.publish(sequence);
        if (!sequence.isPrefillOnly() && sequence.computedTokens == sequence.tokenCount()) {
            sequence.state = State.DECODING;
        }
    }

    /**
     * Verifies that sequences are where their states say, and that the pool's uses are theirs and some others.
     *
     * @param otherUses block ids, each as often as it is used beside
     * @throws IllegalStateException naming what does not hold
     */
    void checkIntegrity(List<Integer> otherUses) {
        List<BlockTable> tables = new ArrayList<>();
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            check(sequence.isRunning(), sequence, "runs");
            check(i == 0 || running.get(i - 1).compareTo(sequence) < 0, sequence, "is out of order");
            check(
                    sequence.table().blockCount()
                            == BlockTable.blocksFor(sequence.computedTokens, blockSizeTokens) + sequence.loadingBlocks,
                    sequence,
                    "has " + sequence.table().blockCount() + " blocks");
            check(
                    sequence.publishedBlocks == sequence.computedTokens / blockSizeTokens,
                    sequence,
                    "has published " + sequence.publishedBlocks + " blocks");
            boolean loading = sequence.state == State.LOADING;
            check(loading == sequence.loadingBlocks > 0, sequence, "loads " + sequence.loadingBlocks + " blocks");
            check(loading == loads.fill(sequence), sequence, loading ? "is not loaded" : "is loaded");
            tables.add(sequence.table());
        }
        long tokens = 0;
        for (Sequence sequence : waiting) {
            check(sequence.state == State.WAITING || sequence.state == State.PREEMPTED, sequence, "waits");
            check(sequence.table().blockCount() == 0, sequence, "waits with blocks");
            tokens += sequence.missingTokens(blockSizeTokens);
        }
        if (tokens != waitingTokens) {
            throw new IllegalStateException(waitingTokens + " tokens wait, but " + tokens + " are counted");
        }
        loads.addAbandoned(tables);
        pool.checkIntegrity(tables, otherUses);
    }

    private void scheduleRunning() {
        scheduleDecodes(hasRunnablePrefill() ? 1 : 0);
        schedulePrefills();
        if (plan.isEmpty()) {
            // The only row was kept for a prefill that found no blocks: decodes may take the ones it has.
            scheduleDecodes(0);
        }
    }

    private void scheduleDecodes(int kept) {
        // Sequences that lose their blocks here come later in the order, so the index stays right.
        for (int i = 0; i < running.size(); i++) {
            Sequence sequence = running.get(i);
            if (sequence.state != State.DECODING || !sequence.owner().isOpen()) {
                continue;
            }
            if (plan.rowsLeft() <= kept || plan.tokensLeft() <= kept) {
                return;
            }
            if (makeRoom(sequence, sequence.tokenCount())) {
                plan.add(sequence, 1);
            }
        }
    }

    private void schedulePrefills() {
        for (int i = 0; i < running.size() && plan.tokensLeft() > 0; i++) {
            Sequence sequence = running.get(i);
            if (sequence.state == State.PREFILLING && sequence.owner().isOpen()) {
                schedulePrefill(sequence);
            }
        }
    }

    private void schedulePrefill(Sequence sequence) {
        // Once more between chunks: another sequence of the same prompt may have been faster.
        prefixes.share(sequence);
        int remaining = sequence.targetTokens(blockSizeTokens) - sequence.computedTokens;
        if (remaining == 0) {
            plan.complete(sequence);
            return;
        }
        if (sequence.computedTokens % blockSizeTokens == 0 && prefixes.isUnderway(sequence, sequence.publishedBlocks)) {
            return;
        }
        int chunk = Math.min(remaining, plan.tokensLeft());
        if (!makeRoom(sequence, sequence.computedTokens + chunk)) {
            int room = (sequence.table().blockCount() + pool.freeCount()) * blockSizeTokens;
            chunk = Math.min(chunk, room - sequence.computedTokens);
            if (chunk <= 0 || !sequence.table().reserve(sequence.computedTokens + chunk)) {
                return;
            }
        }
        // Making room may have taken later rows out of the plan, never added any: the chunk fits still.
        plan.add(sequence, chunk);
        prefixes.addUnderway(sequence, chunk);
    }

    private void admitWaiting() {
        int reserved = reservedBlocks();
        for (Iterator<Sequence> all = waiting.iterator(); all.hasNext() && plan.tokensLeft() > 0; ) {
            Sequence sequence = all.next();
            if (!sequence.owner().isOpen()) {
                continue;
            }
            int found = prefixes.findableBlocks(sequence);
            if (prefixes.isUnderway(sequence, found) || prefixes.waitsForLoads(sequence, found)) {
                continue;
            }
            // The first that has no room keeps those behind it waiting: otherwise short ones could starve it.
            if (!fits(sequence, found, reserved)) {
                return;
            }
            all.remove();
            admit(sequence);
            if (sequence.state == State.PREFILLING) {
                schedulePrefill(sequence);
            }
            reserved += unreservedBlocks(sequence);
        }
    }

    /** Whether there are blocks for all that a sequence has to compute, besides those promised to running ones. */
    private boolean fits(Sequence sequence, int found, int reserved) {
        // A found block that somebody uses costs nothing; a free one is taken from the free ones like any other.
        int needed = BlockTable.blocksFor(sequence.targetTokens(blockSizeTokens), blockSizeTokens)
                - prefixes.usedBlocks(sequence, found);
        int spare = running.isEmpty() ? 0 : pool.blockCount() / BLOCKS_PER_SPARE;
        return needed + reserved + spare <= pool.freeCount();
    }

    private void admit(Sequence sequence) {
        boolean first = sequence.state == State.WAITING;
        waitingTokens -= sequence.missingTokens(blockSizeTokens);
        sequence.state = State.PREFILLING;
        running.add(-Collections.binarySearch(running, sequence) - 1, sequence);
        int found = prefixes.share(sequence);
        if (first) {
            plan.countAdmitted();
            pool.countLookup(found, sequence.shareableBlocks(blockSizeTokens) - found);
        }
        if (prefixes.load(sequence)) {
            plan.countLoad();
        }
    }

    /** Takes blocks for so many tokens, if need be from later sequences. */
    private boolean makeRoom(Sequence sequence, int tokenCount) {
        while (!sequence.table().reserve(tokenCount)) {
            Sequence last = lastBehind(sequence);
            if (last == null) {
                return false;
            }
            preempt(last);
        }
        return true;
    }

    /** The last in the order that can lose its blocks, behind this one; or null. */
    private @Nullable Sequence lastBehind(Sequence sequence) {
        for (int i = running.size() - 1; running.get(i) != sequence; i--) {
            if (running.get(i).state != State.LOADING) {
                return running.get(i);
            }
        }
        return null;
    }

    private void preempt(Sequence sequence) {
        running.remove(runningIndex(sequence));
        plan.remove(sequence);
        plan.completed().remove(sequence);
        sequence.table().releaseAll();
        sequence.computedTokens = 0;
        sequence.publishedBlocks = 0;
        sequence.state = State.PREEMPTED;
        sequence.preempted = true;
        add(sequence);
        preemptions++;
        preemptedInStep = true;
    }

    /**
     * Nothing could be scheduled. If that is because sequences of stalled leases hold the blocks, they lose them, last
     * in the order first, until the first sequence whose lease is not stalled has room. Not while a load is under way:
     * what is waited for may be its end.
     */
    private void breakStall() {
        if (!loads.isEmpty() || !hasRunnable()) {
            return;
        }
        for (int i = running.size() - 1; i >= 0 && plan.isEmpty(); i = Math.min(i, running.size()) - 1) {
            if (running.get(i).owner().isStalled()) {
                preempt(running.get(i));
                scheduleRunning();
                admitWaiting();
            }
        }
    }

    private boolean hasRunnable() {
        for (Sequence sequence : running) {
            if (sequence.owner().isOpen()) {
                return true;
            }
        }
        for (Sequence sequence : waiting) {
            if (sequence.owner().isOpen()) {
                return true;
            }
        }
        return false;
    }

    private boolean hasRunnablePrefill() {
        for (Sequence sequence : running) {
            if (sequence.state == State.PREFILLING && sequence.owner().isOpen()) {
                return true;
            }
        }
        return false;
    }

    /** Blocks that running prefills will need for their prompts. */
    private int reservedBlocks() {
        int reserved = 0;
        for (Sequence sequence : running) {
            reserved += unreservedBlocks(sequence);
        }
        return reserved;
    }

    private int unreservedBlocks(Sequence sequence) {
        return sequence.state == State.PREFILLING || sequence.state == State.LOADING
                ? sequence.table().missingBlocks(sequence.targetTokens(blockSizeTokens))
                : 0;
    }

    private int runningIndex(Sequence sequence) {
        int index = Collections.binarySearch(running, sequence);
        check(index >= 0 && running.get(index) == sequence, sequence, "is not among the running ones");
        return index;
    }

    private static void check(boolean holds, Sequence sequence, String what) {
        if (!holds) {
            throw new IllegalStateException("sequence " + sequence + " " + what);
        }
    }
}
