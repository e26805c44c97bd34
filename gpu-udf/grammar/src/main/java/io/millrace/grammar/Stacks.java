package io.millrace.grammar;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A set of stacks of nodes to return to. Stacks with the same node on top share what is below it, so a set is never
 * larger than the grammar times the depth, however many stacks it stands for. Sets of one {@link StackTable} are the
 * same object if they are equal.
 */
final class Stacks {
    /** Whether the stack that holds nothing is one of them. */
    final boolean bottom;

    /** The nodes on top, in order. */
    final int[] nodes;

    /** What is below each of them. */
    final Stacks[] below;

    /** Most nodes of a stack, and those that are not to be seen below the stack that holds nothing. */
    final int depth;

    private final int hash;

    Stacks(boolean bottom, int[] nodes, Stacks[] below, int depth) {
        this.bottom = bottom;
        this.nodes = nodes;
        this.below = below;
        this.depth = depth;
        int value = 31 * Arrays.hashCode(nodes) + depth;
        for (Stacks rest : below) {
            value = 31 * value + rest.hash;
        }
        this.hash = bottom ? ~value : value;
    }

    /** Returns the set of the one stack that holds nothing, with some depth that is not to be seen. */
    static Stacks empty(int depth) {
        return new Stacks(true, new int[0], new Stacks[0], depth);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        if (!(other instanceof Stacks stacks)
                || hash != stacks.hash
                || bottom != stacks.bottom
                || depth != stacks.depth
                || !Arrays.equals(nodes, stacks.nodes)) {
            return false;
        }
        for (int i = 0; i < below.length; i++) {
            if (below[i] != stacks.below[i]) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
