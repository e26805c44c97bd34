package io.millrace.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A vocabulary of 300 tokens: all bytes, the end, and texts of several bytes that begin and end anywhere. */
final class TestingVocabulary {
    static final int SIZE = 300;
    static final int END = 299;

    private TestingVocabulary() {}

    /** Returns a vocabulary with given texts among its tokens, and random ones over an alphabet. */
    static GrammarVocabulary of(Random random, List<byte[]> texts, String alphabet) {
        byte[][] bytes = new byte[SIZE][];
        for (int octet = 0; octet < 256; octet++) {
            bytes[octet] = new byte[] {(byte) octet};
        }
        byte[] letters = alphabet.getBytes(StandardCharsets.UTF_8);
        for (int token = 256; token < END; token++) {
            if (token - 256 < texts.size()) {
                bytes[token] = texts.get(token - 256);
                continue;
            }
            bytes[token] = new byte[2 + random.nextInt(4)];
            for (int i = 0; i < bytes[token].length; i++) {
                bytes[token][i] = letters[random.nextInt(letters.length)];
            }
        }
        return new GrammarVocabulary(bytes, new int[] {END}, 1 << 20);
    }

    /** Returns the tokens that a mask allows. */
    static List<Integer> tokens(long[] mask) {
        List<Integer> tokens = new ArrayList<>();
        for (int token = 0; token < mask.length * 64; token++) {
            if ((mask[token >> 6] >>> token & 1) != 0) {
                tokens.add(token);
            }
        }
        return tokens;
    }

    static boolean allows(long[] mask, int token) {
        return (mask[token >> 6] >>> token & 1) != 0;
    }
}
