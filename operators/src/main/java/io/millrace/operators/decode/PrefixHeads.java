package io.millrace.operators.decode;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns that wait for the first blocks of their chains, which a sequence of its own computes so that what follows can
 * be loaded. Turns with the same head wait for one sequence. Used on the task thread.
 */
final class PrefixHeads {
    private final Map<BlockHash, Head> byLastBlock = new HashMap<>();
    private final Map<String, Head> bySequence = new HashMap<>();

    private record Head(BlockHash lastBlock, List<ActiveTurn> turns) {}

    /** Has a turn wait for a head that is being computed; false if none with this last block is. */
    boolean join(BlockHash lastBlock, ActiveTurn turn) {
        Head head = byLastBlock.get(lastBlock);
        if (head == null) {
            return false;
        }
        head.turns().add(requireNonNull(turn, "turn"));
        return true;
    }

    /** A head is being computed, and a turn waits for it. */
    void add(BlockHash lastBlock, String sequenceId, ActiveTurn turn) {
        Head head = new Head(lastBlock, new ArrayList<>(List.of(turn)));
        byLastBlock.put(lastBlock, head);
        bySequence.put(sequenceId, head);
    }

    /** The turns that waited for a sequence, which has ended; null if it is none of a head. */
    @Nullable
    List<ActiveTurn> ended(String sequenceId) {
        Head head = bySequence.remove(sequenceId);
        if (head == null) {
            return null;
        }
        byLastBlock.remove(head.lastBlock());
        return head.turns();
    }

    /** Takes a turn out; false if it does not wait. */
    boolean remove(ActiveTurn turn) {
        for (Head head : byLastBlock.values()) {
            for (Iterator<ActiveTurn> all = head.turns().iterator(); all.hasNext(); ) {
                if (all.next() == turn) {
                    all.remove();
                    return true;
                }
            }
        }
        return false;
    }
}
