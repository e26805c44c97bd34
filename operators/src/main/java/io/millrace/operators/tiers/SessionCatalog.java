package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.flink.SessionPlacement;
import io.millrace.proto.SessionRecord;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The sessions that a subtask's state knows, in memory: what each takes in the STATE tier and when it was used, so that
 * the limit of the tier can be kept without a look through the state. Takes about 250 bytes for a session and its id's
 * characters; sessions end with their time to live. Used on the task thread.
 */
final class SessionCatalog {
    /** A session. */
    record Entry(SessionPlacement placement, long lastActiveMs, long storedBytes, int storedBlocks) {}

    private final SessionRetention retention;
    private final TreeMap<String, Entry> sessions = new TreeMap<>();
    private volatile long storedBytes;
    private volatile int sessionCount;

    SessionCatalog(SessionRetention retention) {
        this.retention = requireNonNull(retention, "retention");
    }

    /** Takes in what was restored; those that were used last come last in the retention's order. */
    void restore(List<Entry> entries) {
        List<Entry> oldestFirst = new ArrayList<>(entries);
        oldestFirst.sort(Comparator.comparingLong(Entry::lastActiveMs));
        for (Entry entry : oldestFirst) {
            put(entry);
        }
    }

    /** A session's record is this now. */
    void put(SessionPlacement placement, SessionRecord record) {
        put(entry(placement, record));
    }

    static Entry entry(SessionPlacement placement, SessionRecord record) {
        return new Entry(placement, record.getLastActiveMs(), record.getStoredBytes(), record.getStoredBlocks());
    }

    void remove(SessionPlacement placement) {
        Entry removed = sessions.remove(placement.sessionId());
        if (removed != null) {
            count(-removed.storedBytes());
            retention.removed(placement.sessionId());
        }
    }

    /** The session that gives up its blocks next; null if none of those that may has any. */
    @Nullable
    SessionPlacement next(Predicate<SessionPlacement> mayGive) {
        String sessionId = retention.next(id -> mayGive.test(entry(id).placement()));
        return sessionId == null ? null : entry(sessionId).placement();
    }

    /** Sessions behind this one by their ids, in that order. */
    List<Entry> after(String sessionId, int limit) {
        return sessions.tailMap(sessionId, false).values().stream().limit(limit).toList();
    }

    /** Sessions with blocks, those that were used last first. */
    List<Entry> latest(int limit) {
        return sessions.values().stream()
                .filter(entry -> entry.storedBlocks() > 0)
                .sorted(Comparator.comparingLong(Entry::lastActiveMs).reversed())
                .limit(limit)
                .toList();
    }

    SessionRetention retention() {
        return retention;
    }

    /** Bytes of all sessions' values. Any thread. */
    long storedBytes() {
        return storedBytes;
    }

    /** Number of sessions. Any thread. */
    int sessionCount() {
        return sessionCount;
    }

    private void put(Entry entry) {
        String sessionId = entry.placement().sessionId();
        Entry before = sessions.put(sessionId, entry);
        count(entry.storedBytes() - (before == null ? 0 : before.storedBytes()));
        if (entry.storedBlocks() > 0) {
            retention.used(sessionId);
        } else {
            retention.removed(sessionId);
        }
    }

    private Entry entry(String sessionId) {
        return requireNonNull(sessions.get(sessionId), sessionId);
    }

    // Written by one thread only, so a volatile is enough.
    @SuppressWarnings("NonAtomicVolatileUpdate")
    private void count(long bytes) {
        storedBytes += bytes;
        sessionCount = sessions.size();
    }
}
