package io.millrace.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.grammar.RegexParser.Extent;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class DfaTest {
    private static Dfa dfa(String pattern) {
        return Dfa.of(RegexParser.parse(pattern, Extent.WHOLE, GrammarLimits.DEFAULT), GrammarLimits.DEFAULT);
    }

    @Test
    void operationsAreThoseOfSets() {
        int compared = 0;
        for (int seed = 0; seed < 3000; seed++) {
            Random random = TestingGrammars.seeded(seed);
            GrammarSource first = TestingGrammars.finite(random);
            GrammarSource second = TestingGrammars.finite(random);
            Expr firstExpr = first.rules().get(first.start());
            Expr secondExpr = second.rules().get(second.start());
            if (first.rules().size() > 1 || second.rules().size() > 1) {
                continue;
            }
            Set<String> texts = TestingGrammars.language(first, firstExpr, 300);
            Set<String> others = TestingGrammars.language(second, secondExpr, 300);
            if (texts == null || others == null) {
                continue;
            }
            compared++;
            Dfa one = Dfa.of(firstExpr, GrammarLimits.DEFAULT);
            Dfa two = Dfa.of(secondExpr, GrammarLimits.DEFAULT);
            Set<String> both = new TreeSet<>(texts);
            both.retainAll(others);
            Set<String> either = new TreeSet<>(texts);
            either.addAll(others);
            Set<String> rest = new TreeSet<>(texts);
            rest.removeAll(others);
            check(one, texts, seed);
            check(one.intersect(two, GrammarLimits.DEFAULT), both, seed);
            check(one.union(two, GrammarLimits.DEFAULT), either, seed);
            check(one.minus(two, GrammarLimits.DEFAULT), rest, seed);
            assertThat(one.equals(two)).as("seed %s", seed).isEqualTo(texts.equals(others));
            assertThat(one.isFinite()).isTrue();
        }
        assertThat(compared).isGreaterThan(50);
    }

    private static void check(Dfa dfa, Set<String> texts, int seed) {
        Set<String> all =
                TestingGrammars.language(GrammarSource.of(Expr.EMPTY), new Expr.Automaton(dfa), Integer.MAX_VALUE);
        assertThat(all).as("seed %s", seed).isEqualTo(texts);
        assertThat(dfa.isEmpty()).isEqualTo(texts.isEmpty());
    }

    @Test
    void equalLanguagesHaveEqualAutomata() {
        assertThat(dfa("(a|b)*")).isEqualTo(dfa("(a*b*)*")).hasSameHashCodeAs(dfa("[ab]*"));
        assertThat(dfa("a(b|c)|d(b|c)")).isEqualTo(dfa("[ad][bc]"));
        assertThat(dfa("a*")).isNotEqualTo(dfa("a+"));
        assertThat(dfa("[]").isEmpty()).isTrue();
        assertThat(dfa("a*").isFinite()).isFalse();
        assertThat(dfa("a{3,70}").stateCount()).isEqualTo(71);
    }

    @Test
    void everyCodePointIsOneOrIsNot() {
        Dfa all = dfa("[^]");
        Dfa some = dfa("[b-\\u07ff\\u{d000}-\\u{10ff00}]");
        for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
            if (codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE) {
                continue;
            }
            String text = Character.toString(codePoint);
            if (!all.matches(text)) {
                throw new AssertionError(codePoint);
            }
            boolean in = codePoint >= 'b' && codePoint <= 0x7ff || codePoint >= 0xd000 && codePoint <= 0x10ff00;
            if (some.matches(text) != in) {
                throw new AssertionError(codePoint);
            }
        }
        // Surrogates, overlong forms and lone bytes are no text.
        assertThat(all.matches(new byte[] {(byte) 0xED, (byte) 0xA0, (byte) 0x80}))
                .isFalse();
        assertThat(all.matches(new byte[] {(byte) 0xC0, (byte) 0x80})).isFalse();
        assertThat(all.matches(new byte[] {(byte) 0xF4, (byte) 0x90, (byte) 0x80, (byte) 0x80}))
                .isFalse();
        assertThat(all.matches(new byte[] {(byte) 0x80})).isFalse();
    }

    @Test
    void bytesAreSpelledAnotherWay() {
        Dfa spelled = dfa("a[\"\\\\]?b")
                .respelled(
                        octet -> octet == '"' || octet == '\\' ? List.of("\\" + (char) octet) : null,
                        GrammarLimits.DEFAULT);
        assertThat(spelled.matches("ab")).isTrue();
        assertThat(spelled.matches("a\\\"b")).isTrue();
        assertThat(spelled.matches("a\\\\b")).isTrue();
        assertThat(spelled.matches("a\"b")).isFalse();
        assertThat(spelled.matches("a\\b")).isFalse();
    }

    @Test
    void textUpToATrigger() {
        Expr.Automaton without = (Expr.Automaton) FreeText.without(List.of("<call>", "[C]"), GrammarLimits.DEFAULT);
        Expr.Automaton through = (Expr.Automaton) FreeText.through(List.of("<call>", "[C]"), GrammarLimits.DEFAULT);
        assertThat(without.dfa().matches("a < b <cal é")).isTrue();
        assertThat(without.dfa().matches("x<call>")).isFalse();
        assertThat(without.dfa().matches("x<call")).isTrue();
        assertThat(through.dfa().matches("x<<call>")).isTrue();
        assertThat(through.dfa().matches("[C]")).isTrue();
        assertThat(through.dfa().matches("x[C]<call>")).isFalse();
        assertThat(through.dfa().matches("x")).isFalse();
    }
}
