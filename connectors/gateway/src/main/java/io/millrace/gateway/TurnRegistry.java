package io.millrace.gateway;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The turns that this gateway knows, by their ids and by their idempotency keys. Bounded: turns that nobody asked for
 * longest are forgotten first. Tokens are not kept here; the port keeps those.
 */
final class TurnRegistry {
    /** One use of an idempotency key; {@code turn} is null after a failure that the client may try again. */
    private static final class KeyUse {
        final String bodyHash;
        int attempts;

        @Nullable
        KeptTurn turn;

        KeyUse(String bodyHash) {
            this.bodyHash = bodyHash;
        }
    }

    private record Key(String scope, String key) {}

    private final Map<String, KeptTurn> turns;
    private final Map<Key, KeyUse> keys;

    TurnRegistry(int maxTurns) {
        this.turns = bounded(maxTurns);
        this.keys = bounded(maxTurns);
    }

    private static <K, V> Map<K, V> bounded(int maxEntries) {
        return new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
                return size() > maxEntries;
            }
        };
    }

    /**
     * Begins a turn, or joins the one that its idempotency key names, as one more reader of it.
     *
     * @param create makes the turn of the given attempt, which is above 0 if earlier ones failed
     * @throws ServingException {@code IDEMPOTENCY_CONFLICT} if the key was used with another body
     */
    synchronized KeptTurn begin(Caller caller, String bodyHash, IntFunction<KeptTurn> create) {
        String idempotencyKey = caller.idempotencyKey();
        if (idempotencyKey == null) {
            return attach(create.apply(0));
        }
        KeyUse use =
                keys.computeIfAbsent(new Key(caller.idempotencyScope(), idempotencyKey), key -> new KeyUse(bodyHash));
        if (!use.bodyHash.equals(bodyHash)) {
            throw new ServingException(
                    ErrorCode.IDEMPOTENCY_CONFLICT,
                    "the idempotency key was used for a request with another body",
                    SessionResolver.IDEMPOTENCY_HEADER,
                    null);
        }
        if (use.turn == null) {
            use.turn = create.apply(use.attempts);
        }
        return attach(use.turn);
    }

    /** One more reader of a turn. */
    synchronized KeptTurn attach(KeptTurn turn) {
        turn.readerCount++;
        // Of one that is known by its name alone, the next request may tell more.
        if (!turn.bodyHash().isEmpty()) {
            turns.put(turn.turnId(), turn);
        }
        return turn;
    }

    /** One reader less; returns whether it was the last. */
    synchronized boolean detach(KeptTurn turn) {
        turn.readerCount--;
        return turn.readerCount == 0;
    }

    /** The turn of an id, if it is the tenant's. */
    synchronized @Nullable KeptTurn find(String tenant, String turnId) {
        KeptTurn turn = turns.get(turnId);
        return turn != null && turn.tenant().equals(tenant) ? turn : null;
    }

    /** Lets the next request of a key begin anew: its turn failed in a way that another attempt may mend. */
    synchronized void retire(KeptTurn turn) {
        KeyUse use = use(turn);
        if (use != null) {
            use.turn = null;
            use.attempts++;
        }
    }

    /**
     * Lets the next request of a key begin the same turn again: whether the job has got this one is not known. If it
     * has, the next one joins it.
     */
    synchronized void release(KeptTurn turn) {
        KeyUse use = use(turn);
        if (use != null) {
            use.turn = null;
        }
    }

    private @Nullable KeyUse use(KeptTurn turn) {
        String idempotencyKey = turn.caller().idempotencyKey();
        if (idempotencyKey == null) {
            return null;
        }
        KeyUse use = keys.get(new Key(turn.caller().idempotencyScope(), idempotencyKey));
        return use != null && use.turn == turn ? use : null;
    }
}
