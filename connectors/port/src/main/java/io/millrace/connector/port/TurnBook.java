package io.millrace.connector.port;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The turns that a port knows: a bounded number of open ones, and of those that have ended the latest, as many as fit
 * their bounds. Callers hold their port's lock.
 *
 * @param <T> the port's kind of stream
 */
public final class TurnBook<T extends OrderedTurnStream> {
    private static final Set<String> NOT_RUN = Set.of(
            ErrorCode.UNAVAILABLE.name(),
            ErrorCode.QUEUE_FULL.name(),
            ErrorCode.TURN_NOT_FOUND.name(),
            ErrorCode.OUTPUT_NOT_HELD.name());

    private final int openTurnsMax;
    private final int retainedTurnsMax;
    private final long retainedBytesMax;

    /** Every turn that is known, in the order of their beginning. */
    private final Map<TurnKey, T> turns = new LinkedHashMap<>();

    private final ArrayDeque<T> ended = new ArrayDeque<>();
    private int openTurns;
    private long retainedBytes;

    /**
     * A book without turns.
     *
     * @param openTurnsMax turns that may be open at a time
     * @param retainedTurnsMax ended turns whose chunks stay readable
     * @param retainedBytesMax bytes that ended turns may take together, about
     */
    public TurnBook(int openTurnsMax, int retainedTurnsMax, long retainedBytesMax) {
        this.openTurnsMax = openTurnsMax;
        this.retainedTurnsMax = retainedTurnsMax;
        this.retainedBytesMax = retainedBytesMax;
    }

    /** The turn of a key, or null if it is not known. */
    public @Nullable T get(TurnKey key) {
        return turns.get(key);
    }

    /** Every turn that is known, in the order of their beginning. */
    public Collection<T> all() {
        return Collections.unmodifiableCollection(turns.values());
    }

    /** The turns that have not ended, in the order of their beginning. */
    public List<T> open() {
        List<T> open = new ArrayList<>(openTurns);
        for (T turn : turns.values()) {
            if (!turn.isComplete()) {
                open.add(turn);
            }
        }
        return open;
    }

    /** Turns that have not ended. */
    public int openCount() {
        return openTurns;
    }

    /** Subscriptions to turns, ended ones included, that have not been closed. */
    public int subscriptionCount() {
        return turns.values().stream()
                .mapToInt(OrderedTurnStream::subscriptionCount)
                .sum();
    }

    /**
     * Checks that one more turn may be open.
     *
     * @throws ServingException {@code QUEUE_FULL} if not
     */
    public void checkRoom() {
        if (openTurns >= openTurnsMax) {
            throw new ServingException(
                    ErrorCode.QUEUE_FULL, "there are " + openTurns + " open turns, the most that are allowed");
        }
    }

    /** Takes a turn in, which is open. */
    public void add(T turn) {
        T replaced = turns.put(turn.key(), requireNonNull(turn, "turn"));
        assert replaced == null : "a turn that is known was added again: " + turn.key();
        openTurns++;
    }

    /**
     * A turn has ended; the oldest that have are forgotten for it. To be called once a turn. One that ended without
     * having been run is forgotten at once: the next time it may be.
     */
    public void ended(T turn) {
        openTurns--;
        if (NOT_RUN.contains(turn.failureCode())) {
            turns.remove(turn.key());
            return;
        }
        ended.add(turn);
        retainedBytes += turn.bytes();
        while (ended.size() > retainedTurnsMax || retainedBytes > retainedBytesMax) {
            T oldest = ended.remove();
            turns.remove(oldest.key());
            retainedBytes -= oldest.bytes();
        }
    }
}
