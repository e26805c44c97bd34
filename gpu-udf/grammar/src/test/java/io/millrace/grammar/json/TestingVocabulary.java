package io.millrace.grammar.json;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.grammar.Grammar;
import io.millrace.grammar.GrammarLimits;
import io.millrace.grammar.GrammarSource;
import io.millrace.grammar.GrammarState;
import io.millrace.grammar.GrammarVocabulary;
import io.millrace.grammar.TokenGrammar;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** 300 tokens: all bytes, some that cross the borders of fields and characters, and an end token, the last. */
final class TestingVocabulary {
    static final int SIZE = 300;
    static final int END = SIZE - 1;

    private static final String[] TEXTS = {
        "{\"", "\"}", "\": ", "\": \"", "\", \"", ", \"", "}, {\"", "[{\"", "\"}]", "]}", "}}", "\"]", "[\"", "\", ",
        ": ", ", ", "true", "false", "null", "true, ", "null}", "12", "00", "-1", ".5", "0.", "e1", "name", "id\": ",
        "\\n", "\\\"", "\\u00", "ab", "abc\"", "foo", "2024-", "\": [", "\": {\"", "[]", "{}"
    };

    static final byte[][] TOKENS = tokens();
    private static final GrammarVocabulary VOCABULARY = new GrammarVocabulary(TOKENS, new int[] {END}, 16 << 20);

    private TestingVocabulary() {}

    private static byte[][] tokens() {
        byte[][] tokens = new byte[SIZE][];
        for (int i = 0; i < 256; i++) {
            tokens[i] = new byte[] {(byte) i};
        }
        int next = 256;
        for (String text : TEXTS) {
            tokens[next++] = text.getBytes(StandardCharsets.UTF_8);
        }
        // The first two bytes of a character of three, and the last of it with what may follow.
        tokens[next++] = new byte[] {(byte) 0xE2, (byte) 0x82};
        tokens[next++] = new byte[] {(byte) 0xAC, '"'};
        tokens[next++] = new byte[] {'a', (byte) 0xC3};
        tokens[END] = null;
        return tokens;
    }

    static TokenGrammar grammar(GrammarSource source) {
        return new TokenGrammar(Grammar.compile(source, GrammarLimits.DEFAULT), VOCABULARY);
    }

    static TokenGrammar grammar(JsonNode schema) {
        return grammar(JsonSchemaCompiler.compile(schema, SchemaLimits.DEFAULT, "schema"));
    }

    static boolean isAllowed(GrammarState state, int token) {
        return (state.allowed()[token >> 6] >>> token & 1) == 1;
    }

    /** Whether a text is of a grammar, byte by byte. */
    static boolean accepts(TokenGrammar grammar, String text) {
        GrammarState state = grammar.start();
        for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
            state = state.after(octet & 0xFF);
            if (state == null) {
                return false;
            }
        }
        return state.mayEnd();
    }

    /** Whether a text can be written with the masks' leave when it is cut into tokens at random. */
    static boolean acceptsInPieces(TokenGrammar grammar, String text, Random random) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        GrammarState state = grammar.start();
        int at = 0;
        while (at < bytes.length) {
            int token = tokenAt(bytes, at, random);
            GrammarState next = isAllowed(state, token) ? state.after(token) : null;
            if (next == null) {
                return false;
            }
            state = next;
            at += TOKENS[token].length;
        }
        return state.mayEnd() && isAllowed(state, END);
    }

    private static int tokenAt(byte[] bytes, int at, Random random) {
        List<Integer> fitting = new ArrayList<>();
        fitting.add(bytes[at] & 0xFF);
        for (int token = 256; token < END; token++) {
            byte[] candidate = TOKENS[token];
            if (candidate != null && at + candidate.length <= bytes.length && startsWith(bytes, at, candidate)) {
                fitting.add(token);
                fitting.add(token);
            }
        }
        return fitting.get(random.nextInt(fitting.size()));
    }

    private static boolean startsWith(byte[] bytes, int at, byte[] candidate) {
        for (int i = 0; i < candidate.length; i++) {
            if (bytes[at + i] != candidate[i]) {
                return false;
            }
        }
        return true;
    }

    /**
     * Writes a text by random tokens among those allowed.
     *
     * @param soon tokens after which those are preferred that bring the text to its end
     * @return the text, or null if it has not ended after many tokens
     */
    static @Nullable String walk(TokenGrammar grammar, Random random, int soon) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        GrammarState state = grammar.start();
        for (int step = 0; step < soon + 3_000; step++) {
            int token = step < soon ? anyToken(state, random) : closingToken(state, random);
            if (token == END) {
                return out.toString(StandardCharsets.UTF_8);
            }
            byte[] bytes = TOKENS[token];
            out.write(bytes, 0, bytes.length);
            GrammarState next = state.after(token);
            if (next == null) {
                throw new AssertionError("the mask allows what the state does not: " + token + " after " + out);
            }
            state = next;
        }
        return null;
    }

    private static int anyToken(GrammarState state, Random random) {
        List<Integer> plain = new ArrayList<>();
        List<Integer> others = new ArrayList<>();
        for (int token = 0; token < SIZE; token++) {
            if (isAllowed(state, token)) {
                boolean isPlain = token == END || token >= 256 || (token >= 0x20 && token < 0x7F);
                (isPlain ? plain : others).add(token);
            }
        }
        if (plain.isEmpty() || (!others.isEmpty() && random.nextInt(8) == 0)) {
            if (others.isEmpty()) {
                throw new AssertionError("a state allows nothing");
            }
            return others.get(random.nextInt(others.size()));
        }
        if (plain.contains(END) && random.nextInt(3) == 0) {
            return END;
        }
        return plain.get(random.nextInt(plain.size()));
    }

    private static final String CLOSING = "\"}]0";

    private static int closingToken(GrammarState state, Random random) {
        if (isAllowed(state, END)) {
            return END;
        }
        for (int i = 0; i < CLOSING.length(); i++) {
            if (isAllowed(state, CLOSING.charAt(i)) && random.nextInt(4) != 0) {
                return CLOSING.charAt(i);
            }
        }
        return anyToken(state, random);
    }
}
