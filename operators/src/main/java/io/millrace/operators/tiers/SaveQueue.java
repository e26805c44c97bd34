package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.HeldBlocks;
import io.millrace.kv.BlockHash;
import io.millrace.kv.flink.BlockStore;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Blocks on their way out of the device: jobs that wait, and the few that are under way, each of which goes
 *
 * <pre>
 *   task thread      engine's thread     write thread           task thread
 *   take keys   -->  hold the blocks --> copy, let go, write --> commit, record
 * </pre>
 *
 * <p>After an error of the store nothing is written for a while: copies to HOST go on, and what was to be written
 * waits, as far as there is room. Beyond that blocks are given up, which costs time when they are wanted and nothing
 * else. Used on the task thread.
 */
final class SaveQueue {
    /** Jobs under way: while one is written, the next is held and copied. */
    private static final int UNDER_WAY_MAX = 2;
    /** Blocks that may wait, their names and keys being kept in memory. */
    private static final int WAITING_BLOCKS_MAX = 1 << 16;
    /** How long nothing is written after an error. */
    static final long PAUSE_MS = 10_000;

    /** How long until a job is tried again of which no block could be held. */
    static final long HELD_RETRY_MS = 10;

    /** How blocks are held: as {@link io.millrace.engine.EngineLease#hold}. */
    @FunctionalInterface
    interface Holder {
        void hold(List<BlockHash> hashes, Consumer<HeldBlocks> receiver);
    }

    /** What becomes of results. */
    @FunctionalInterface
    interface Receiver {
        /** The session's key is the current one. */
        void saved(SaveResult result) throws Exception;
    }

    private final Holder holder;
    private final @Nullable BlockStore store;
    private final StateKeys keys;
    private final RunWriter writer;
    private final JobThread writeThread;
    private final TaskThread task;
    private final Receiver receiver;
    private final TierCounters counters;
    private final int runBlocksMax;
    private final int valueBytes;

    private final ArrayDeque<SaveJob> waiting = new ArrayDeque<>();
    /** Jobs of which something is to be written once the pause has ended. */
    private final ArrayDeque<SaveJob> paused = new ArrayDeque<>();
    /** Jobs that wait or are under way, oldest first. */
    private final Set<Long> open = new LinkedHashSet<>();

    private @Nullable Everything everything;
    // Written on the task thread only; read by metrics too.
    private volatile int waitingBlocks;
    private int underWay;
    private boolean pumpPending;
    private long jobCount;
    private long pauseEndMs;

    SaveQueue(Parts parts) {
        this.holder = parts.holder();
        this.store = parts.store();
        this.keys = parts.keys();
        this.writer = parts.writer();
        this.writeThread = parts.writeThread();
        this.task = parts.task();
        this.receiver = parts.receiver();
        this.counters = parts.counters();
        this.runBlocksMax = parts.runBlocksMax();
        this.valueBytes = parts.valueBytes();
    }

    /** What a queue is made of. */
    record Parts(
            Holder holder,
            @Nullable BlockStore store,
            StateKeys keys,
            RunWriter writer,
            JobThread writeThread,
            TaskThread task,
            Receiver receiver,
            TierCounters counters,
            int runBlocksMax,
            int valueBytes) {}

    /** Adds blocks to be saved, soon; those that there is no room for are given up. */
    void add(LiveSession session, List<BlockHash> hashes) {
        for (int from = 0; from < hashes.size(); from += runBlocksMax) {
            List<BlockHash> run = hashes.subList(from, Math.min(hashes.size(), from + runBlocksMax));
            if (waitingBlocks + run.size() > WAITING_BLOCKS_MAX) {
                counters.skippedBlocks.add(hashes.size() - from);
                return;
            }
            waiting.add(newJob(jobCount++, session, run));
        }
        pumpSoon();
    }

    /** Calls back once all jobs that there are now, paused ones too, have been tried. */
    void whenSaved(Consumer<SaveReport> done) {
        pauseEndMs = 0;
        resume();
        everything = new Everything(jobCount, done);
        pumpSoon();
    }

    /** Merges the small files of the current key's session, if it has many, when the write thread comes to it. */
    void merge() {
        if (store == null) {
            return;
        }
        BlockStore.Place place = store.place();
        writeThread.offerIdle(new JobThread.Job() {
            @Override
            public void run() {
                writer.merge(place);
            }

            @Override
            public void abandon() {}
        });
    }

    /** Blocks that wait. */
    int waitingBlocks() {
        return waitingBlocks;
    }

    // In a mail of its own: it changes the current key.
    private void pumpSoon() {
        if (!pumpPending) {
            pumpPending = task.mail(
                    () -> {
                        pumpPending = false;
                        pump();
                    },
                    "save blocks");
        }
    }

    /** Begins jobs, as many as may be under way. */
    private void pump() {
        while (underWay < UNDER_WAY_MAX && !waiting.isEmpty()) {
            begin(waiting.remove());
        }
        Everything waits = everything;
        if (waits != null && waits.isDone()) {
            everything = null;
            waits.done.accept(waits.report());
        }
    }

    private SaveJob newJob(long id, LiveSession session, List<BlockHash> hashes) {
        SaveJob job = new SaveJob(id, session, hashes);
        session.queued().addAll(hashes);
        waitingBlocks += hashes.size();
        open.add(id);
        return job;
    }

    private void begin(SaveJob job) {
        underWay++;
        task.setCurrentKey(job.session().placement());
        // One key more for the shared blocks of the job, which are recorded and not written.
        long firstKey = keys.take(job.hashes().size() + 1);
        BlockStore.Place place = store == null ? null : store.place();
        boolean writes = task.nowMs() >= pauseEndMs;
        holder.hold(job.hashes(), held -> {
            if (!writeThread.offer(new WriteJob(job, place, firstKey, held, writes))) {
                held.close();
                mail(SaveResult.nothing(job));
            }
        });
    }

    private void mail(SaveResult result) {
        // Where the task has ended nobody asks for the result.
        task.mail(() -> end(result), "blocks saved");
    }

    private void end(SaveResult result) throws Exception {
        SaveJob job = result.job();
        underWay--;
        waitingBlocks -= job.hashes().size();
        open.remove(job.id());
        job.hashes().forEach(job.session().queued()::remove);
        if (result.error() != null) {
            pause();
        }
        task.setCurrentKey(job.session().placement());
        int givenUp = leave(result);
        if (everything != null) {
            everything.add(result, givenUp);
        }
        receiver.saved(result);
        pump();
    }

    /** What is still to be written goes first, or waits until the pause has ended. Returns how many do not go. */
    private int leave(SaveResult result) {
        List<BlockHash> left = result.left();
        LiveSession session = result.job().session();
        if (left.isEmpty() || session.isDropped()) {
            return 0;
        }
        if (waitingBlocks + left.size() > WAITING_BLOCKS_MAX) {
            counters.skippedBlocks.add(left.size());
            return left.size();
        }
        SaveJob job = newJob(result.job().id(), session, left);
        if (isPaused()) {
            open.remove(job.id());
            paused.add(job);
            return left.size();
        }
        if (left.size() == result.job().hashes().size()) {
            // Others hold as much as may be held. It is not for long.
            task.after(HELD_RETRY_MS, () -> {
                waiting.addFirst(job);
                pump();
            });
        } else {
            waiting.addFirst(job);
        }
        return 0;
    }

    private boolean isPaused() {
        return task.nowMs() < pauseEndMs;
    }

    private void pause() {
        if (!isPaused()) {
            pauseEndMs = task.nowMs() + PAUSE_MS;
            task.after(PAUSE_MS, () -> {
                resume();
                pump();
            });
        }
    }

    private void resume() {
        List<SaveJob> resumed = new ArrayList<>(paused);
        paused.clear();
        for (SaveJob job : resumed) {
            waitingBlocks -= job.hashes().size();
            job.hashes().forEach(job.session().queued()::remove);
            if (!job.session().isDropped()) {
                waiting.add(newJob(jobCount++, job.session(), job.hashes()));
            }
        }
    }

    /** A job on the write thread. */
    private final class WriteJob implements JobThread.Job {
        private final SaveJob job;
        private final BlockStore.@Nullable Place place;
        private final long firstKey;
        private final HeldBlocks held;
        private final boolean writes;

        WriteJob(SaveJob job, BlockStore.@Nullable Place place, long firstKey, HeldBlocks held, boolean writes) {
            this.job = requireNonNull(job, "job");
            this.place = place;
            this.firstKey = firstKey;
            this.held = requireNonNull(held, "held");
            this.writes = writes;
        }

        @Override
        public void run() {
            SaveResult result = SaveResult.nothing(job);
            try {
                result = writer.save(job, place, firstKey, held, writes);
            } finally {
                mail(result);
            }
        }

        @Override
        public void abandon() {
            held.close();
        }
    }

    /** Somebody waits until all jobs below an id are done. */
    private final class Everything {
        private final long endId;
        private final Consumer<SaveReport> done;
        private final Set<String> sessionIds = new HashSet<>();
        private long blocks;
        private long skippedBlocks;

        Everything(long endId, Consumer<SaveReport> done) {
            this.endId = endId;
            this.done = requireNonNull(done, "done");
        }

        void add(SaveResult result, int givenUp) {
            if (result.run() != null) {
                sessionIds.add(result.job().session().placement().sessionId());
                blocks += result.written().size();
            }
            int kept = result.written().size()
                    + result.shared().size()
                    + result.left().size();
            skippedBlocks += givenUp + result.job().hashes().size() - kept;
        }

        boolean isDone() {
            return open.stream().allMatch(id -> id >= endId);
        }

        SaveReport report() {
            return new SaveReport(sessionIds.size(), blocks, blocks * valueBytes, skippedBlocks);
        }
    }
}
