package io.millrace.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class TokenGrammarTest {
    private static final String LETTERS = TestingGrammars.ALPHABET;

    /** Every state of every text: what is allowed is exactly what begins a text of the language. */
    @Test
    void masksAreExactForFiniteLanguages() {
        int compared = 0;
        for (int seed = 0; seed < 1500; seed++) {
            Random random = TestingGrammars.seeded(seed);
            GrammarSource source = TestingGrammars.finite(random);
            Set<String> language =
                    TestingGrammars.language(source, source.rules().get(source.start()), 400);
            if (language == null || language.isEmpty()) {
                continue;
            }
            compared++;
            GrammarVocabulary vocabulary = TestingVocabulary.of(random, List.of(), LETTERS);
            Grammar grammar = Grammar.compile(source, GrammarLimits.DEFAULT);
            compare(new TokenGrammar(grammar, vocabulary), vocabulary, language, "seed " + seed + ": " + source);
        }
        assertThat(compared).isGreaterThan(1000);
    }

    private static void compare(
            TokenGrammar grammar, GrammarVocabulary vocabulary, Set<String> language, String about) {
        Set<String> prefixes = new TreeSet<>();
        language.forEach(text -> {
            for (int i = 0; i <= text.length(); i++) {
                prefixes.add(text.substring(0, i));
            }
        });
        Map<String, GrammarState> states = new HashMap<>();
        Deque<String> pending = new ArrayDeque<>();
        states.put("", grammar.start());
        pending.add("");
        while (!pending.isEmpty()) {
            String text = pending.remove();
            GrammarState state = states.get(text);
            List<Integer> expected = new ArrayList<>();
            for (int token = 0; token < TestingVocabulary.END; token++) {
                String longer = text + TestingGrammars.latin1(vocabulary.tokenBytes(token));
                GrammarState after = state.after(token);
                assertThat(after != null).as("%s, %s", about, longer).isEqualTo(prefixes.contains(longer));
                if (after != null) {
                    expected.add(token);
                    if (states.putIfAbsent(longer, after) == null) {
                        pending.add(longer);
                    }
                }
            }
            assertThat(state.mayEnd()).as("%s, %s", about, text).isEqualTo(language.contains(text));
            if (language.contains(text)) {
                expected.add(TestingVocabulary.END);
                assertThat(TestingVocabulary.tokens(
                                state.after(TestingVocabulary.END).allowed()))
                        .containsExactly(TestingVocabulary.END);
            } else {
                assertThat(state.after(TestingVocabulary.END)).isNull();
            }
            assertThat(TestingVocabulary.tokens(state.allowed()))
                    .as("%s, after %s", about, text)
                    .isEqualTo(expected);
            checkForced(state, about);
        }
    }

    private static void checkForced(GrammarState state, String about) {
        GrammarState at = state;
        for (int token : state.forced(8)) {
            assertThat(at).as(about).isNotNull();
            assertThat(TestingVocabulary.allows(at.allowed(), token)).as(about).isTrue();
            at = at.after(token);
        }
    }

    /** Texts made from the grammar itself are allowed, however they are cut into tokens. */
    @Test
    void everyTextOfRecursiveGrammarsIsAllowed() {
        int walked = 0;
        for (int seed = 0; seed < 400; seed++) {
            Random random = TestingGrammars.seeded(seed);
            GrammarSource source = TestingGrammars.recursive(random);
            Grammar grammar = compiled(source);
            if (grammar == null) {
                continue;
            }
            GrammarVocabulary vocabulary = TestingVocabulary.of(random, List.of(), LETTERS);
            TokenGrammar tokens = new TokenGrammar(grammar, vocabulary);
            for (int i = 0; i < 10; i++) {
                byte[] text = TestingGrammars.sample(source, random, 60);
                if (text == null) {
                    continue;
                }
                walked++;
                String about = "seed " + seed + ": " + source + ", " + TestingGrammars.latin1(text);
                assertThat(TestingGrammars.matches(source, text)).as(about).isTrue();
                GrammarState state = tokens.start();
                for (int token : cut(text, vocabulary, random)) {
                    assertThat(TestingVocabulary.allows(state.allowed(), token))
                            .as(about)
                            .isTrue();
                    state = state.after(token);
                    assertThat(state).as(about).isNotNull();
                }
                assertThat(state.mayEnd()).as(about).isTrue();
                assertThat(TestingVocabulary.allows(state.allowed(), TestingVocabulary.END))
                        .isTrue();
            }
        }
        assertThat(walked).isGreaterThan(1000);
    }

    /** Texts made from masks are of the grammar, and every mask agrees with what each token does. */
    @Test
    void everyTextThatMasksAllowIsOfTheGrammar() {
        int ended = 0;
        for (int seed = 0; seed < 300; seed++) {
            Random random = TestingGrammars.seeded(seed);
            GrammarSource source = TestingGrammars.recursive(random);
            Grammar grammar = compiled(source);
            if (grammar == null) {
                continue;
            }
            GrammarVocabulary vocabulary = TestingVocabulary.of(random, List.of(), LETTERS);
            TokenGrammar tokens = new TokenGrammar(grammar, vocabulary);
            String about = "seed " + seed + ": " + source;
            for (int walk = 0; walk < 3; walk++) {
                GrammarState state = tokens.start();
                StringBuilder text = new StringBuilder();
                for (int step = 0; step < 30; step++) {
                    List<Integer> allowed = TestingVocabulary.tokens(state.allowed());
                    assertThat(allowed).as("%s, %s", about, text).isNotEmpty();
                    for (int token = 0; token < TestingVocabulary.SIZE; token++) {
                        assertThat(state.after(token) != null)
                                .as("%s, %s, token %s", about, text, token)
                                .isEqualTo(allowed.contains(token));
                    }
                    if (state.mayEnd()) {
                        ended++;
                        byte[] bytes = text.toString().getBytes(StandardCharsets.ISO_8859_1);
                        assertThat(TestingGrammars.matches(source, bytes))
                                .as("%s, %s", about, text)
                                .isTrue();
                    }
                    checkForced(state, about);
                    int token = allowed.get(random.nextInt(allowed.size()));
                    if (token == TestingVocabulary.END) {
                        break;
                    }
                    text.append(TestingGrammars.latin1(vocabulary.tokenBytes(token)));
                    state = state.after(token);
                }
            }
        }
        assertThat(ended).isGreaterThan(500);
    }

    private static Grammar compiled(GrammarSource source) {
        try {
            return Grammar.compile(source, GrammarLimits.DEFAULT);
        } catch (io.millrace.kv.ServingException e) {
            assertThat(e).hasMessageContaining("left recursion");
            return null;
        }
    }

    private static List<Integer> cut(byte[] text, GrammarVocabulary vocabulary, Random random) {
        List<Integer> tokens = new ArrayList<>();
        int from = 0;
        while (from < text.length) {
            List<Integer> fitting = new ArrayList<>();
            for (int token = 0; token < TestingVocabulary.END; token++) {
                byte[] bytes = vocabulary.tokenBytes(token);
                int end = from + bytes.length;
                if (end <= text.length && Arrays.equals(bytes, Arrays.copyOfRange(text, from, end))) {
                    fitting.add(token);
                }
            }
            // The longer ones more often: they are the ones that cross borders.
            int token = random.nextInt(3) == 0
                    ? fitting.get(random.nextInt(fitting.size()))
                    : fitting.get(fitting.size() - 1);
            tokens.add(token);
            from += vocabulary.tokenBytes(token).length;
        }
        return tokens;
    }

    @Test
    void nestingHasALimitAndNoDeadEnd() {
        GrammarSource source =
                EbnfParser.parse("root ::= \"(\" (root | \"[\" root \"]\")* \")\"", GrammarLimits.DEFAULT);
        GrammarVocabulary vocabulary = TestingVocabulary.of(new Random(1), List.of("((((".getBytes()), "()[]");
        TokenGrammar tokens = new TokenGrammar(Grammar.compile(source, GrammarLimits.DEFAULT), vocabulary);
        GrammarState state = tokens.start();
        int opened = 0;
        while (TestingVocabulary.allows(state.allowed(), '(')) {
            state = state.after('(');
            opened++;
        }
        assertThat(opened).isBetween(400, 510);
        assertThat(TestingVocabulary.allows(state.allowed(), 256)).isFalse();
        for (int i = 0; i < opened; i++) {
            assertThat(TestingVocabulary.allows(state.allowed(), ')')).isTrue();
            state = state.after(')');
        }
        assertThat(TestingVocabulary.tokens(state.allowed())).containsExactly(TestingVocabulary.END);
    }

    @Test
    void statesAndMasksStayWithinLimits() {
        GrammarLimits few = new GrammarLimits(1000, 100, 100, 1000, 1000, 10000, 1000, 1_000_000, 100, 50);
        GrammarSource source = EbnfParser.parse("root ::= \"{\" [a-z]* root? \"}\"", few);
        byte[][] bytes = new byte[257][];
        for (int octet = 0; octet < 256; octet++) {
            bytes[octet] = new byte[] {(byte) octet};
        }
        GrammarVocabulary vocabulary = new GrammarVocabulary(bytes, new int[] {256}, 2000);
        TokenGrammar tokens = new TokenGrammar(Grammar.compile(source, few), vocabulary);
        for (int round = 0; round < 20; round++) {
            GrammarState state = tokens.start();
            for (char octet : ("{a".repeat(80) + "}".repeat(80)).toCharArray()) {
                assertThat(TestingVocabulary.allows(state.allowed(), octet)).isTrue();
                state = state.after(octet);
                assertThat(vocabulary.masks.bytes()).isLessThanOrEqualTo(2000);
            }
            assertThat(state.mayEnd()).isTrue();
        }
    }

    @Test
    void forcedTokensAreTheOnlyWayOn() {
        GrammarSource source = EbnfParser.parse(
                "root ::= \"{\\\"name\\\": \\\"\" [a-z]+ \"\\\", \\\"age\\\": \" [0-9] \"}\"", GrammarLimits.DEFAULT);
        List<byte[]> texts = new ArrayList<>();
        for (String text : List.of("{\"", "name", "\": \"", "\",", " \"age", "\": ")) {
            texts.add(text.getBytes(StandardCharsets.UTF_8));
        }
        GrammarVocabulary vocabulary = TestingVocabulary.of(new Random(1), texts, "xyz");
        TokenGrammar tokens = new TokenGrammar(Grammar.compile(source, GrammarLimits.DEFAULT), vocabulary);
        GrammarState state = tokens.start();
        assertThat(state.forced(10)).containsExactly(256, 257, 258);
        assertThat(state.forced(2)).containsExactly(256, 257);
        for (int token : new int[] {256, 257, 258, 'j'}) {
            state = state.after(token);
        }
        assertThat(state.forced(10)).isEmpty();
        state = state.after(259);
        assertThat(state.forced(10)).containsExactly(260, 261);
        state = state.after(260).after(261).after('7');
        assertThat(state.forced(10)).containsExactly('}', TestingVocabulary.END);

        ForcedTokens cutter = run -> new int[] {'{', 256 + 17};
        TokenGrammar others = new TokenGrammar(Grammar.compile(source, GrammarLimits.DEFAULT), vocabulary, cutter);
        assertThat(others.start().forced(10)).startsWith('{', '"');
    }

    @Test
    void splitCharactersAreFollowedByTheirOtherBytes() {
        GrammarSource source = GrammarSource.of(Expr.literal("\u20ac\u00e9"));
        byte[] euro = "\u20ac".getBytes(StandardCharsets.UTF_8);
        List<byte[]> texts = List.of(
                new byte[] {euro[0], euro[1]}, new byte[] {euro[2], (byte) 0xC3}, new byte[] {euro[1], euro[2]});
        GrammarVocabulary vocabulary = TestingVocabulary.of(new Random(1), texts, "xyz");
        TokenGrammar tokens = new TokenGrammar(Grammar.compile(source, GrammarLimits.DEFAULT), vocabulary);
        GrammarState state = tokens.start();
        assertThat(TestingVocabulary.tokens(state.allowed())).containsExactly(0xE2, 256);
        assertThat(TestingVocabulary.tokens(state.after(256).allowed())).containsExactly(0xAC, 257);
        assertThat(TestingVocabulary.tokens(state.after(256).after(257).allowed()))
                .containsExactly(0xA9);
        assertThat(TestingVocabulary.tokens(state.after(0xE2).allowed())).containsExactly(0x82, 258);
    }
}
