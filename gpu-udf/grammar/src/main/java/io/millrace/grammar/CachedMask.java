package io.millrace.grammar;

import org.jspecify.annotations.Nullable;

/** A place for a mask, which is empty while nobody needs it. It knows nothing of whose mask it is. */
final class CachedMask {
    /** Which tokens are allowed, and where a rule would end in the middle of one. */
    static final class Content {
        /** Bit i: token i. */
        final long[] tokens;

        /** Nodes of the vocabulary's trie, with longer tokens below them, at which the rule may end. */
        final int[] exits;

        Content(long[] tokens, int[] exits) {
            this.tokens = tokens;
            this.exits = exits;
        }

        long bytes() {
            return 64 + 8L * tokens.length + 4L * exits.length;
        }
    }

    volatile @Nullable Content content;

    /** Whether it was used since the cache last looked. Races only make a mask stay, or go, a little early. */
    volatile boolean used;

    /** Returns the mask, or null if it has to be made. */
    @Nullable
    Content get() {
        Content found = content;
        if (found != null && !used) {
            used = true;
        }
        return found;
    }
}
