package io.millrace.grammar;

import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Keeps masks within a number of bytes; what was not used since the last look goes first. Any thread. */
final class MaskCache {
    /** Most automata whose masks several grammars share. */
    private static final int MAX_AUTOMATA = 500;

    private final long maxBytes;
    private final ArrayDeque<CachedMask> masks = new ArrayDeque<>();
    private final Map<Dfa, CachedMask[]> masksByAutomaton = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Dfa, CachedMask[]> eldest) {
            return size() > MAX_AUTOMATA;
        }
    };
    private long bytes;

    MaskCache(long maxBytes) {
        this.maxBytes = maxBytes;
    }

    /** Puts a mask in its place. */
    synchronized void keep(CachedMask mask, CachedMask.Content content) {
        assert mask.content == null;
        mask.content = content;
        mask.used = true;
        masks.add(mask);
        bytes += content.bytes();
        // Every mask is looked at twice at most: the first look takes its mark.
        while (bytes > maxBytes && masks.size() > 1) {
            CachedMask oldest = masks.remove();
            if (oldest.used) {
                oldest.used = false;
                masks.add(oldest);
                continue;
            }
            CachedMask.@Nullable Content dropped = oldest.content;
            oldest.content = null;
            bytes -= dropped == null ? 0 : dropped.bytes();
        }
    }

    /**
     * Returns the places for masks of an automaton's states, the same for all grammars that use the automaton. States
     * that only texts longer than any token tell apart have the same place.
     *
     * @param horizon most bytes of a token
     */
    synchronized CachedMask[] of(Dfa dfa, int horizon) {
        CachedMask[] places = masksByAutomaton.get(dfa);
        if (places == null) {
            int[] blocks = DfaWalk.alikeWithin(dfa, horizon);
            CachedMask[] byBlock = new CachedMask[blocks.length];
            places = new CachedMask[blocks.length];
            for (int state = 0; state < places.length; state++) {
                if (byBlock[blocks[state]] == null) {
                    byBlock[blocks[state]] = new CachedMask();
                }
                places[state] = byBlock[blocks[state]];
            }
            masksByAutomaton.put(dfa, places);
        }
        return places;
    }

    /** Returns how many bytes are held. */
    synchronized long bytes() {
        return bytes;
    }
}
