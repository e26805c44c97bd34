package io.millrace.grammar;

import java.util.Arrays;

/** Ints as the key of a map. The array must not change. */
final class IntKey {
    private final int[] values;
    private final int hash;

    IntKey(int[] values) {
        this.values = values;
        this.hash = Arrays.hashCode(values);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof IntKey key && hash == key.hash && Arrays.equals(values, key.values);
    }

    @Override
    public int hashCode() {
        return hash;
    }
}
