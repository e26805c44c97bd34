package io.millrace.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EbnfParserTest {
    private static final String CALCULATOR = """
            # sums and products
            root   ::= term (("+" | "-") term)*
            term   ::= factor
              (("*" | "/") factor)*   # goes on over lines
            factor ::= "-"? [0-9]+ ("." [0-9]{1,2})? | "(" root ")"
            """;

    private static boolean matches(String grammar, String text) {
        GrammarVocabulary vocabulary = TestingVocabulary.of(new Random(1), List.of(), "01+");
        GrammarSource source = EbnfParser.parse(grammar, GrammarLimits.DEFAULT);
        GrammarState state = new TokenGrammar(Grammar.compile(source, GrammarLimits.DEFAULT), vocabulary).start();
        for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
            boolean allowed = TestingVocabulary.allows(state.allowed(), octet & 0xFF);
            state = state.after(octet & 0xFF);
            assertThat(state != null).isEqualTo(allowed);
            if (state == null) {
                return false;
            }
        }
        return state.mayEnd();
    }

    @Test
    void grammarsMatchTheirTexts() {
        assertThat(matches(CALCULATOR, "1+2*(3.25-4)/-5")).isTrue();
        assertThat(matches(CALCULATOR, "((((1))))")).isTrue();
        assertThat(matches(CALCULATOR, "1+")).isFalse();
        assertThat(matches(CALCULATOR, "1.234")).isFalse();
        assertThat(matches("root ::= [^\\]a-c]+ \"\\n\\u00e9\" .", "xyz\n\u00e9\u20ac"))
                .isTrue();
        assertThat(matches("root ::= a-b_1{2}\na-b_1 ::= \"q\" |", "q")).isTrue();
        assertThat(matches("root ::= \"a\" root \"b\" | \"\"", "aaabbb")).isTrue();
        assertThat(matches("root ::= \"a\" root \"b\" | \"\"", "aaabb")).isFalse();
        assertThat(matches("root ::= \"x\"{,2} \"y\" {2,}", "xyy")).isTrue();
        assertThat(matches("root ::= \"a\" root | \"a\"", "a".repeat(3000))).isTrue();
    }

    /** Rules that use others twice are texts of 2 to the 60th bytes, but no more than 61 rules. */
    @Test
    void rulesThatDoubleStaySmall() {
        StringBuilder text = new StringBuilder("root ::= r0\n");
        for (int i = 0; i < 60; i++) {
            text.append("r" + i + " ::= r" + (i + 1) + " r" + (i + 1) + "\n");
        }
        for (String last : List.of("r60 ::= \"ab\" | \"a\" \"c\"?", "r60 ::= \"\"")) {
            Grammar grammar =
                    Grammar.compile(EbnfParser.parse(text + last, GrammarLimits.DEFAULT), GrammarLimits.DEFAULT);
            assertThat(grammar.nodeCount()).isLessThan(3000);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a ::= \"b\"",
                "root ::= b",
                "root ::= \"a",
                "root ::= (\"a\"",
                "root ::= [a",
                "root = \"a\"",
                "root ::= \"a\" )",
                "root ::= \"a\"{3,1}",
                "root ::= \"a\"{x}",
                "root ::= root \"a\" | \"b\"",
                "root ::= a root \"b\"\na ::= \"\"",
                "root ::= \"a\" root",
                "root ::= \"a\"\nroot ::= \"b\"",
                "root ::= *",
                "root ::= \"\\q\"",
                "root ::= (=\"a\") \"a\"",
                "root ::= [z-a]",
                "root ::= a \"x\"\na ::= b\nb ::= a \"y\""
            })
    void whatIsWrongIsRefused(String grammar) {
        assertThatThrownBy(
                        () -> Grammar.compile(EbnfParser.parse(grammar, GrammarLimits.DEFAULT), GrammarLimits.DEFAULT))
                .isInstanceOf(ServingException.class);
    }

    @Test
    void costlyGrammarsEnd() {
        StringBuilder doubling = new StringBuilder("root ::= r0\n");
        for (int i = 0; i < 60; i++) {
            doubling.append("r" + i + " ::= r" + (i + 1) + " r" + (i + 1) + "\n");
        }
        doubling.append("r60 ::= \"ab\" | \"a\" \"c\"?");
        StringBuilder chain = new StringBuilder("root ::= r0\n");
        for (int i = 0; i < 9000; i++) {
            chain.append("r" + i + " ::= \"a\" r" + (i + 1) + " | \"b\"\n");
        }
        chain.append("r9000 ::= \"c\"");
        for (String text : List.of(
                doubling.toString(),
                chain.toString(),
                "root ::= " + "(".repeat(50_000),
                "root ::= \"a\"" + "*".repeat(50_000),
                "root ::= ((((\"a\"{1000}){1000}){1000}){1000})",
                "root ::= s{0,3000}\ns ::= [^a]{0,3000}",
                "root ::= \"x\" root \"y\" root \"z\" | \"x\" root \"y\" | \"x\" root | \"x\"")) {
            try {
                Grammar grammar = Grammar.compile(EbnfParser.parse(text, GrammarLimits.DEFAULT), GrammarLimits.DEFAULT);
                GrammarVocabulary vocabulary = TestingVocabulary.of(new Random(1), List.of(), "abxyz");
                GrammarState state = new TokenGrammar(grammar, vocabulary).start();
                for (int i = 0; i < 100 && state != null; i++) {
                    List<Integer> allowed = TestingVocabulary.tokens(state.allowed());
                    assertThat(allowed).isNotEmpty();
                    state = state.after(allowed.get(0));
                }
            } catch (ServingException e) {
                assertThat(e.getMessage()).isNotEmpty();
            }
        }
    }

    @Test
    void anythingParsesOrIsRefused() {
        List<String> pieces = List.of(
                "root", "a", "b", " ::= ", "\"x\"", "\"", "[a-z]", "[", "(", ")", "|", "*", "+", "?", "{2}", "{1,",
                "\n", "# c\n", "\\", "\u20ac", ".", " ");
        GrammarVocabulary vocabulary = TestingVocabulary.of(new Random(1), List.of(), "abxyz");
        int compiled = 0;
        for (int seed = 0; seed < 20_000; seed++) {
            Random random = TestingGrammars.seeded(seed);
            StringBuilder text = new StringBuilder("root ::= ");
            for (int length = random.nextInt(16); length > 0; length--) {
                text.append(pieces.get(random.nextInt(pieces.size())));
            }
            try {
                GrammarSource source = EbnfParser.parse(text.toString(), GrammarLimits.DEFAULT);
                Grammar grammar = Grammar.compile(source, GrammarLimits.DEFAULT);
                compiled++;
                if (seed % 20 == 0) {
                    assertThat(new TokenGrammar(grammar, vocabulary).start().allowed())
                            .as("seed %s", seed)
                            .isNotEqualTo(new long[vocabulary.maskWords()]);
                }
            } catch (ServingException e) {
                assertThat(e.getMessage()).as("seed %s", seed).isNotEmpty();
            }
        }
        assertThat(compiled).isGreaterThan(500);
    }
}
