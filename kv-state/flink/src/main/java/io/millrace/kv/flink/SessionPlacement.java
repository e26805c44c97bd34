package io.millrace.kv.flink;

import static java.util.Objects.requireNonNull;

import org.apache.flink.api.common.typeinfo.TypeInfo;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;

/**
 * Where a session lives: the key of Prefill's and Decode's state. Its hash code is the hash that it carries, and Flink
 * finds a key's group by its hash code, so whoever picks the hash picks the key group. Placement is data: rescaling and
 * savepoints treat it like any other key.
 *
 * @param sessionId the session; not empty
 * @param hash decides the key group
 */
@TypeInfo(SessionPlacementTypeInfoFactory.class)
public record SessionPlacement(String sessionId, int hash) {
    /** A key group is found within a few times the number of key groups; this bounds the search. */
    private static final int SEARCH_STEPS_MAX = 1 << 22;

    public SessionPlacement {
        requireNonNull(sessionId, "sessionId");
    }

    /** Places a session where its own id would. */
    public static SessionPlacement bySessionId(String sessionId) {
        return new SessionPlacement(sessionId, sessionId.hashCode());
    }

    /**
     * Places a session in a key group. Sessions of one group get different hashes as far as there are any, so that they
     * do not fall into one bucket of a hash table.
     *
     * @param keyGroup 0 to {@code maxParallelism}, exclusive
     * @param maxParallelism the operators' maximum parallelism
     */
    public static SessionPlacement inKeyGroup(String sessionId, int keyGroup, int maxParallelism) {
        if (keyGroup < 0 || keyGroup >= maxParallelism) {
            throw new IllegalArgumentException(
                    "key group " + keyGroup + " is not below the maximum parallelism " + maxParallelism);
        }
        int hash = sessionId.hashCode();
        for (int step = 0; step < SEARCH_STEPS_MAX; step++, hash++) {
            if (KeyGroupRangeAssignment.computeKeyGroupForKeyHash(hash, maxParallelism) == keyGroup) {
                return new SessionPlacement(sessionId, hash);
            }
        }
        throw new IllegalStateException("no hash found for key group " + keyGroup + " of " + maxParallelism);
    }

    /** The key group that this placement falls into. */
    public int keyGroup(int maxParallelism) {
        return KeyGroupRangeAssignment.assignToKeyGroup(this, maxParallelism);
    }

    /** The hash: Flink computes the key group from it. */
    @Override
    public int hashCode() {
        return hash;
    }
}
