package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.rocksdb.BlockStoreSettings;
import java.io.Serializable;
import java.time.Duration;

/**
 * How sessions use the tiers below the device.
 *
 * @param hostMaxBytes bytes that HOST takes at most of the operator's managed memory; 0 turns it off
 * @param stateEnabled whether blocks are kept in keyed state
 * @param stateMaxBytes bytes of blocks that a subtask keeps there at most
 * @param minFreeDiskBytes nothing is written there while the disk has less
 * @param minBlocks full blocks of a running turn that are not saved yet before they are; those of a turn that ended are
 *     saved however few they are
 * @param copyBytes memory for copies of blocks on their way to state, where HOST has no room for them; at least two
 *     blocks, whatever it says
 * @param retention what sessions keep in state
 * @param load whether blocks are loaded or computed
 * @param sessionTtl how long a session that does nothing is kept
 */
public record TierSettings(
        long hostMaxBytes,
        boolean stateEnabled,
        long stateMaxBytes,
        long minFreeDiskBytes,
        int minBlocks,
        long copyBytes,
        Retention retention,
        LoadPolicy load,
        Duration sessionTtl)
        implements Serializable {
    /** What sessions keep. */
    public enum Retention {
        /** Their blocks, until there are too many: see {@link LeastRecentlyUsedSessions}. */
        LEAST_RECENTLY_USED,
        /** Nothing once a turn has ended: see {@link DropAfterTurn}. */
        DROP_AFTER_TURN
    }

    public TierSettings {
        check(hostMaxBytes >= 0, "hostMaxBytes", hostMaxBytes);
        check(stateMaxBytes > 0, "stateMaxBytes", stateMaxBytes);
        check(minFreeDiskBytes >= 0, "minFreeDiskBytes", minFreeDiskBytes);
        check(minBlocks > 0, "minBlocks", minBlocks);
        check(copyBytes >= 0, "copyBytes", copyBytes);
        requireNonNull(retention, "retention");
        requireNonNull(load, "load");
        requireNonNull(sessionTtl, "sessionTtl");
        check(!sessionTtl.isNegative() && !sessionTtl.isZero(), "sessionTtl", sessionTtl.toMillis());
    }

    /** The defaults, for sessions of this time to live. */
    public static TierSettings defaults(Duration sessionTtl) {
        return new TierSettings(
                Long.MAX_VALUE,
                true,
                16L << 30,
                1L << 30,
                16,
                24L << 20,
                Retention.LEAST_RECENTLY_USED,
                LoadPolicy.MEASURED,
                sessionTtl);
    }

    /** How the store of STATE works. */
    public BlockStoreSettings storeSettings() {
        return BlockStoreSettings.defaults().withMinFreeDiskBytes(minFreeDiskBytes);
    }

    /** A new retention of this kind. */
    SessionRetention newRetention() {
        return switch (retention) {
            case LEAST_RECENTLY_USED -> new LeastRecentlyUsedSessions();
            case DROP_AFTER_TURN -> new DropAfterTurn();
        };
    }

    private static void check(boolean holds, String name, long value) {
        if (!holds) {
            throw new IllegalArgumentException(name + " is out of its range: " + value);
        }
    }
}
