package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.PrefixSource;
import io.millrace.kv.BlockHash;
import io.millrace.kv.flink.BlockStore;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.handover.BlockReceiver;
import io.millrace.operators.handover.HandoverCounters;
import io.millrace.proto.BlockRun;
import io.millrace.proto.SessionRecord;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.flink.metrics.MetricGroup;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tiers below the device as Decode's turns use them: where a turn's blocks can be had when it begins, and what is
 * saved of it while it runs and when it ends. Used on the task thread. Losing any of it costs time, and never tokens.
 */
public final class SessionTiers implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(SessionTiers.class);

    /** Each time a session has so many runs more, its files may be merged. */
    private static final int RUNS_PER_MERGE = 8;
    /** With fewer blocks to load behind a head, it is not worth a sequence of its own. */
    private static final int BLOCKS_BEHIND_HEAD_MIN = 4;
    /** No more sessions are brought ahead after a restore. */
    private static final int BROUGHT_AHEAD_SESSIONS_MAX = 10_000;

    private final TierParts parts;
    private final TierState state;
    private final TaskThread task;
    private final @Nullable BlockStore store;
    private final SessionCatalog catalog;
    private final SaveQueue saves;
    private final TierCounters counters;
    private final Map<SessionPlacement, LiveSession> live = new HashMap<>();
    private final LogLimit storeErrors = new LogLimit();

    /** Tiers without threads: tests do the jobs of the parts. */
    SessionTiers(TierParts parts) {
        this.parts = requireNonNull(parts, "parts");
        this.state = parts.state();
        this.task = parts.task();
        this.store = parts.store();
        this.catalog = parts.catalog();
        this.counters = parts.counters();
        this.saves = parts.newSaveQueue(this::saved);
    }

    /** Tiers on a base, with their threads started and their metrics registered. */
    public static SessionTiers open(TierBase base, MetricGroup operatorGroup) {
        SessionTiers tiers = new SessionTiers(new TierParts(base));
        TierMetrics.register(operatorGroup, tiers.parts, tiers.saves);
        tiers.parts.start();
        return tiers;
    }

    /**
     * A turn of the current key's session begins, or goes on after a restore.
     *
     * @param prompt its prompt's tokens; not changed any more
     * @param generated tells its output so far, copied
     */
    public TurnBlocks begin(SessionPlacement placement, String cacheSalt, int[] prompt, Supplier<int[]> generated)
            throws Exception {
        LiveSession session = open(placement);
        TurnBlocks turn = new TurnBlocks(session, cacheSalt, prompt, generated);
        int[] before = turn.generated();
        turn.extend(parts.hasher(), before);
        turn.saveAgainAt(prompt.length + before.length);
        session.turns().add(turn);
        SessionRecord known = state.sessionRecord();
        if (known == null) {
            parts.timers().arm(task.nowMs() + parts.settings().sessionTtl().toMillis());
        }
        SessionRecord.Builder updated = known == null
                ? SessionRecord.newBuilder().setSessionId(placement.sessionId()).setCreatedMs(task.nowMs())
                : known.toBuilder();
        put(placement, updated.setLastActiveMs(task.nowMs()).build());
        return turn;
    }

    /** Where the turn's blocks can be had; null where no tier holds its first blocks that the device may lack. */
    public @Nullable PrefixSource prefixSource(TurnBlocks turn) {
        for (BlockHash hash : turn.chain()) {
            if (isBelowDevice(turn, hash)) {
                return new TierPrefixSource(turn, new Stored(turn.session()), parts.loader(), parts.choice());
            }
        }
        return null;
    }

    /**
     * The head of a turn's chain that is to be computed first, so that what follows can be loaded: a shared prefix,
     * which is in no tier after a restore, stands before blocks of the session's own.
     *
     * @return the number of blocks up to those that can be loaded; 0 if none is missing before them, or they are few
     */
    public int headBlocks(TurnBlocks turn) {
        if (parts.settings().load() == LoadPolicy.NEVER) {
            return 0;
        }
        List<BlockHash> chain = turn.chain();
        int missing = 0;
        while (missing < chain.size() && isAnywhere(turn, chain.get(missing))) {
            missing++;
        }
        int head = missing;
        while (head < chain.size() && !isBelowDevice(turn, chain.get(head))) {
            head++;
        }
        int behind = 0;
        while (head + behind < chain.size() && isBelowDevice(turn, chain.get(head + behind))) {
            behind++;
        }
        return head > missing && behind >= BLOCKS_BEHIND_HEAD_MIN ? head : 0;
    }

    private boolean isAnywhere(TurnBlocks turn, BlockHash hash) {
        return parts.isOnDevice(hash) || isBelowDevice(turn, hash);
    }

    private boolean isBelowDevice(TurnBlocks turn, BlockHash hash) {
        return turn.session().keyOf(hash) != null || parts.loader().isInHost(hash);
    }

    /** The turn goes on: saves its blocks, if there are enough. May change the current key. */
    public void progressed(TurnBlocks turn, int[] generated) throws Exception {
        turn.extend(parts.hasher(), generated);
        List<BlockHash> unsaved = unsaved(turn);
        int minBlocks = parts.settings().minBlocks();
        int missing = unsaved.size() < minBlocks ? minBlocks - unsaved.size() : minBlocks;
        turn.saveAgainAt(turn.promptTokens()
                + generated.length
                + missing * parts.hasher().blockSizeTokens());
        if (unsaved.size() >= minBlocks) {
            save(turn.session(), unsaved);
        }
    }

    /** The turn of the current key's session ended, however it did: saves what is not. The key stays as it is. */
    public void ended(TurnBlocks turn, int[] generated) throws Exception {
        LiveSession session = turn.session();
        if (session.isDropped()) {
            return;
        }
        if (generated.length > 0) {
            turn.extend(parts.hasher(), generated);
            countTurn(turn, generated.length);
            keep(turn);
        }
        session.ended(turn);
        if (!catalog.retention().keepsAfterTurn() && session.turns().isEmpty()) {
            dropBlocks(session.placement());
        }
        release(session);
    }

    /** Drops all that is known of the current key's session; its turns, if there are any, are void. */
    public void drop(SessionPlacement placement) throws Exception {
        LiveSession session = live.remove(placement);
        if (session != null) {
            session.drop();
        }
        if (store != null) {
            store.dropAll(store.place());
        }
        state.clearRuns();
        state.clearRecord();
        catalog.remove(placement);
    }

    /** The current key's timer fires: drops the session if it has done nothing for its time to live. */
    public void onTimer(SessionPlacement placement) throws Exception {
        SessionRecord known = state.sessionRecord();
        if (known == null) {
            return;
        }
        LiveSession session = live.get(placement);
        boolean busy = session != null && !session.turns().isEmpty();
        long ttlMs = parts.settings().sessionTtl().toMillis();
        long endMs = (busy ? task.nowMs() : known.getLastActiveMs()) + ttlMs;
        if (endMs > task.nowMs()) {
            parts.timers().arm(endMs);
            return;
        }
        counters.expiredSessions.increment();
        drop(placement);
    }

    /** A head is computed. */
    public void countHead() {
        counters.computedHeads.increment();
    }

    /** Unfinished turns were restored. */
    public void countRestored(int turns) {
        counters.restoredTurns.add(turns);
    }

    /** Takes in the sessions of a restored state, and what of it nobody knows goes. Changes the current key. */
    public void restore(List<SessionPlacement> placements) throws Exception {
        List<SessionCatalog.Entry> entries = new ArrayList<>();
        for (SessionPlacement placement : placements) {
            task.setCurrentKey(placement);
            SessionRecord known = state.sessionRecord();
            if (known != null) {
                entries.add(SessionCatalog.entry(placement, known));
            }
        }
        catalog.restore(entries);
        if (store != null && parts.isRestored()) {
            int dropped = store.dropUnknown(this::isKnown);
            if (dropped > 0) {
                LOG.info("{} ranges of values that no session names were dropped from state", dropped);
            }
        }
    }

    /** Has the sessions that were used last read from STATE into free room of HOST, while nothing else is loaded. */
    public void bringAhead() throws Exception {
        if (parts.hostSlots() == 0 || !catalog.retention().keepsAfterTurn()) {
            return;
        }
        List<SessionPlacement> wanted = new ArrayList<>();
        long blocks = 0;
        for (SessionCatalog.Entry entry : catalog.latest(BROUGHT_AHEAD_SESSIONS_MAX)) {
            blocks += entry.storedBlocks();
            if (blocks > parts.hostSlots()) {
                break;
            }
            wanted.add(entry.placement());
        }
        bringAhead(new ArrayDeque<>(wanted));
    }

    /** Takes the blocks that come from Prefill's engine. Closed before this is. */
    public BlockReceiver newReceiver(HandoverCounters arrivals) {
        return parts.newReceiver(arrivals);
    }

    /** Ends the threads, and then the store and HOST. */
    @Override
    public void close() {
        parts.close();
    }

    private void bringAhead(ArrayDeque<SessionPlacement> wanted) throws Exception {
        SessionPlacement placement = wanted.poll();
        if (placement == null) {
            return;
        }
        task.setCurrentKey(placement);
        // Not among the live ones: nothing is saved of it, and it may lose its blocks meanwhile.
        LiveSession session = new LiveSession(placement);
        List<BlockHash> hashes = new ArrayList<>();
        for (BlockRun run : state.runs()) {
            session.add(run);
            hashes.addAll(BlockRuns.hashes(run));
        }
        parts.loader().prefetch(new Stored(session), hashes, () -> bringAhead(wanted));
    }

    private boolean isKnown(Object key, long firstKey, long lastKey) throws Exception {
        task.setCurrentKey((SessionPlacement) key);
        for (BlockRun run : state.runs()) {
            long lastOfRun = run.getFirstKey() + BlockRuns.count(run) - 1;
            if (!run.getShared() && run.getFirstKey() <= lastKey && lastOfRun >= firstKey) {
                return true;
            }
        }
        return false;
    }

    /** Calls back, on the task thread, once every full block that is not saved yet was tried to be. */
    public void saveAll(Consumer<SaveReport> done) throws Exception {
        for (LiveSession session : List.copyOf(live.values())) {
            for (TurnBlocks turn : session.turns()) {
                turn.extend(parts.hasher(), turn.generated());
                save(session, unsaved(turn));
            }
        }
        saves.whenSaved(done);
    }

    /** Sessions behind this one in the order of their ids. Changes the current key. */
    public List<SessionView> sessions(String afterSessionId, int limit) throws Exception {
        List<SessionView> views = new ArrayList<>();
        for (SessionCatalog.Entry entry : catalog.after(afterSessionId, limit)) {
            task.setCurrentKey(entry.placement());
            SessionRecord known = state.sessionRecord();
            if (known != null) {
                views.add(view(entry.placement(), known));
            }
        }
        return views;
    }

    private SessionView view(SessionPlacement placement, SessionRecord known) throws Exception {
        LiveSession session = live.get(placement);
        Set<BlockHash> hashes = new HashSet<>();
        for (BlockRun run : state.runs()) {
            hashes.addAll(BlockRuns.hashes(run));
        }
        int turns = 0;
        int tokens = known.getTokenCount();
        if (session != null) {
            turns = session.turns().size();
            for (TurnBlocks turn : session.turns()) {
                hashes.addAll(turn.chain());
                tokens = turn.promptTokens() + turn.generated().length;
            }
        }
        int deviceBlocks = (int) hashes.stream().filter(parts::isOnDevice).count();
        int hostBlocks = (int) hashes.stream().filter(parts.loader()::isInHost).count();
        return new SessionView(known, turns, tokens, deviceBlocks, hostBlocks);
    }

    /** The session, with what its manifests say. */
    private LiveSession open(SessionPlacement placement) throws Exception {
        LiveSession known = live.get(placement);
        if (known != null) {
            return known;
        }
        LiveSession session = new LiveSession(placement);
        for (BlockRun run : state.runs()) {
            session.add(run);
        }
        live.put(placement, session);
        return session;
    }

    private void release(LiveSession session) {
        if (session.isIdle()) {
            live.remove(session.placement(), session);
            parts.touchInHost(session.lastChain());
        }
    }

    private List<BlockHash> unsaved(TurnBlocks turn) {
        List<BlockHash> unsaved = new ArrayList<>();
        for (BlockHash hash : turn.chain()) {
            boolean kept = turn.session().isAccountedFor(hash)
                    || store == null && parts.loader().isInHost(hash);
            if (!kept) {
                unsaved.add(hash);
            }
        }
        return unsaved;
    }

    /** What the session keeps of its blocks now that a turn has ended. */
    private void keep(TurnBlocks ended) throws Exception {
        LiveSession session = ended.session();
        dropDiverged(session);
        if (catalog.retention().keepsAfterTurn()) {
            save(session, unsaved(ended));
        }
    }

    /** Drops runs of which no block is in the chain of a turn: the context has become another. */
    private void dropDiverged(LiveSession session) throws Exception {
        Set<BlockHash> present = new HashSet<>();
        session.turns().forEach(turn -> present.addAll(turn.chain()));
        for (BlockRun run : session.runs()) {
            if (BlockRuns.hashes(run).stream().noneMatch(present::contains)) {
                counters.divergedBlocks.add(BlockRuns.count(run));
                drop(session, run);
            }
        }
    }

    private void save(LiveSession session, List<BlockHash> hashes) throws Exception {
        if (hashes.isEmpty() || session.isDropped() || store == null && parts.hostSlots() == 0) {
            return;
        }
        long bytes = (long) hashes.size() * parts.valueBytes();
        boolean room = store == null || makeRoom(bytes);
        task.setCurrentKey(session.placement());
        if (room) {
            saves.add(session, hashes);
        } else {
            counters.skippedBlocks.add(hashes.size());
        }
    }

    /** Has sessions give up their blocks until there is room for so many bytes; false if that cannot be. */
    private boolean makeRoom(long bytes) throws Exception {
        long maxBytes = parts.settings().stateMaxBytes();
        long waitingBytes = (long) saves.waitingBlocks() * parts.valueBytes();
        while (catalog.storedBytes() + waitingBytes + bytes > maxBytes) {
            SessionPlacement victim = catalog.next(placement -> !live.containsKey(placement));
            if (victim == null) {
                return false;
            }
            task.setCurrentKey(victim);
            dropBlocks(victim);
            counters.evictedSessions.increment();
        }
        return true;
    }

    /** Drops the blocks of the current key's session, which stays. */
    private void dropBlocks(SessionPlacement placement) throws Exception {
        LiveSession session = live.get(placement);
        if (session != null) {
            session.runs().forEach(session::remove);
        }
        if (store != null) {
            store.dropAll(store.place());
        }
        state.clearRuns();
        SessionRecord known = state.sessionRecord();
        if (known != null) {
            put(
                    placement,
                    known.toBuilder().clearStoredBlocks().clearStoredBytes().build());
        }
    }

    /** Drops a run of the current key's session. */
    private void drop(LiveSession session, BlockRun run) throws Exception {
        session.remove(run);
        state.remove(run);
        if (run.getShared() || store == null) {
            return;
        }
        store.drop(store.place(), run.getFirstKey(), BlockRuns.count(run));
        countStored(session.placement(), -BlockRuns.count(run), -run.getValueBytes());
    }

    /** What became of a job; its session's key is the current one. */
    private void saved(SaveResult result) throws Exception {
        LiveSession session = result.job().session();
        if (result.error() != null) {
            storeFailed("blocks cannot be saved, and wait", result.error());
        }
        boolean unwanted = session.isDropped()
                || !catalog.retention().keepsAfterTurn() && session.turns().isEmpty();
        if (store != null && commit(store, result)) {
            BlockRun run = BlockRuns.of(
                    result.firstKey(),
                    result.written(),
                    (long) result.written().size() * parts.valueBytes(),
                    task.nowMs());
            if (unwanted) {
                store.drop(store.place(), run.getFirstKey(), BlockRuns.count(run));
            } else {
                record(session, run);
                counters.demotedToStateBlocks.add(BlockRuns.count(run));
                counters.demotedToStateBytes.add(run.getValueBytes());
                countStored(session.placement(), BlockRuns.count(run), run.getValueBytes());
                if (session.runs().size() % RUNS_PER_MERGE == 0) {
                    saves.merge();
                }
            }
        }
        if (store != null && !unwanted && !result.shared().isEmpty()) {
            long key = result.firstKey() + result.job().hashes().size();
            record(session, BlockRuns.of(key, result.shared(), 0, task.nowMs()));
        }
        release(session);
    }

    private boolean commit(BlockStore to, SaveResult result) {
        if (result.run() == null) {
            return false;
        }
        try {
            to.commit(result.run());
            return true;
        } catch (Exception e) {
            storeFailed("blocks were written and cannot be taken into state", e);
            return false;
        }
    }

    private void record(LiveSession session, BlockRun run) throws Exception {
        state.put(run);
        session.add(run);
    }

    private void storeFailed(String what, Exception e) {
        counters.storeErrors.increment();
        if (storeErrors.permits(task.nowMs())) {
            LOG.warn("{}; this is said once a minute", what, e);
        }
    }

    private void countTurn(TurnBlocks turn, int generatedTokens) throws Exception {
        SessionRecord known = state.sessionRecord();
        if (known != null) {
            put(
                    turn.session().placement(),
                    known.toBuilder()
                            .setLastActiveMs(task.nowMs())
                            .setTokenCount(turn.promptTokens() + generatedTokens)
                            .setTurnCount(known.getTurnCount() + 1)
                            .build());
        }
    }

    private void countStored(SessionPlacement placement, int blocks, long bytes) throws Exception {
        SessionRecord known = state.sessionRecord();
        if (known != null) {
            put(
                    placement,
                    known.toBuilder()
                            .setStoredBlocks(known.getStoredBlocks() + blocks)
                            .setStoredBytes(known.getStoredBytes() + bytes)
                            .build());
        }
    }

    private void put(SessionPlacement placement, SessionRecord updated) throws Exception {
        state.put(updated);
        catalog.put(placement, updated);
    }

    /** A session as loads see it. */
    private final class Stored implements BlockLoader.Session {
        private final LiveSession session;

        Stored(LiveSession session) {
            this.session = requireNonNull(session, "session");
        }

        @Override
        public @Nullable Long keyOf(BlockHash hash) {
            return session.keyOf(hash);
        }

        @Override
        public BlockStore.Reader reader(long[] keys) throws Exception {
            BlockStore from = requireNonNull(store, "a block without a store");
            task.setCurrentKey(session.placement());
            return from.reader(from.place(), keys);
        }

        @Override
        public void damaged(BlockHash hash, long key, String what) throws Exception {
            task.setCurrentKey(session.placement());
            for (BlockRun run : state.runs()) {
                long index = key - run.getFirstKey();
                if (!run.getShared() && index >= 0 && index < BlockRuns.count(run)) {
                    LOG.warn(
                            "session {}: the value of block {} under key {} is {}; it is computed again",
                            session.placement().sessionId(),
                            hash,
                            Long.toHexString(key),
                            what);
                    counters.damagedBlocks.increment();
                    LiveSession known = live.get(session.placement());
                    SessionTiers.this.drop(known == null ? session : known, run);
                    return;
                }
            }
        }
    }
}
