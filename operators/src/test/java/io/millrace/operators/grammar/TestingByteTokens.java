package io.millrace.operators.grammar;

import io.millrace.grammar.ForcedTokens;
import org.jspecify.annotations.Nullable;

/** A token a byte, and one that ends an output. */
final class TestingByteTokens implements OutputTokens {
    static final int END = 256;

    @Override
    public @Nullable byte[][] bytes(boolean markers) {
        @Nullable byte[][] bytes = new byte[END + 1][];
        for (int value = 0; value < END; value++) {
            bytes[value] = new byte[] {(byte) value};
        }
        return bytes;
    }

    @Override
    public int[] endTokenIds() {
        return new int[] {END};
    }

    @Override
    public @Nullable ForcedTokens forcedTokens() {
        return null;
    }

    @Override
    public boolean dropsLeadingSpace() {
        return false;
    }
}
