package io.millrace.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.grammar.RegexParser.Extent;
import io.millrace.kv.ServingException;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegexParserTest {
    private static Dfa dfa(String pattern, Extent extent) {
        return Dfa.of(RegexParser.parse(pattern, extent, GrammarLimits.DEFAULT), GrammarLimits.DEFAULT);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "^[a-z]{2,3}$",
                "a|b",
                "^a|b$",
                "(^a|b)c",
                "a(b$|c)",
                "(?:ab)*?c+",
                "^\\d{3}-\\d{4}$",
                "[^a-c]",
                "x{,3}",
                "^(\\([0-9]{3}\\))?[0-9]{3}-[0-9]{4}$",
                "\\u00e9|\\x41",
                "^.$",
                "\\s\\S\\w\\W",
                "[\\w-]+@[\\w.]+",
                "",
                "^$",
                "(a|b)*abb",
                "a{2}b{0}c{1,}",
                "\\p{Lu}",
                "[\\]a]b",
                "a{",
                "(?<n>a)b",
                "é+€",
                "[a-]",
                "^^a$$",
                "(^a$)",
                "((^a)|b)(c|(d$))"
            })
    void patternsMatchWhatJavaMatches(String pattern) {
        Pattern java =
                Pattern.compile(pattern.replace("x{,3}", "x\\{,3}").replaceAll("a\\{$", "a\\\\{"), Pattern.DOTALL);
        Dfa part = dfa(pattern, Extent.PART);
        Dfa whole = dfa(pattern, Extent.WHOLE);
        Random random = new Random(7);
        String letters = "aabbcdx-_01239@.(){ é€AZ,";
        for (int i = 0; i < 3000; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = random.nextInt(9); length > 0; length--) {
                text.append(letters.charAt(random.nextInt(letters.length())));
            }
            assertThat(part.matches(text.toString()))
                    .as("%s in %s", pattern, text)
                    .isEqualTo(java.matcher(text).find());
            assertThat(whole.matches(text.toString()))
                    .as("%s is %s", pattern, text)
                    .isEqualTo(java.matcher(text).matches());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(?=a)",
                "(?!a)",
                "(?<=a)b",
                "(?<!a)b",
                "(a)\\1",
                "(?<n>a)\\k<n>",
                "\\bword\\b",
                "(?i)a",
                "*a",
                "a**",
                "a++",
                "(a",
                "a)",
                "[a",
                "[b-a]",
                "a{3,2}",
                "\\p{Nope}",
                "\\q",
                "a^b",
                "a$b",
                "(^a)*",
                "x(^a|b)",
                "\\u12",
                "\\",
                "\\p{L",
                "[\\d-z]",
                "\\01",
                "(?>a)",
                "a{2}{3}",
                "(^a)(^b)"
            })
    void whatIsNotRegularOrMalformedIsRefused(String pattern) {
        assertThatThrownBy(() -> RegexParser.parse(pattern, Extent.PART, GrammarLimits.DEFAULT))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("regular expression is not supported");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(((a{1000}){1000}){1000}){1000}",
                "(a|b)*a(a|b){30}$",
                "((((((((a*)*)*)*)*)*)*)*)*b",
                "(x+x+)+y",
                "(.*a){20}(.*b){20}(.*c){20}",
                "a{99999999}",
                "(){99999999}",
                "(a?){5000}a{5000}",
                "[\\p{L}\\p{N}]{500}"
            })
    void costlyPatternsEnd(String pattern) {
        try {
            dfa(pattern, Extent.PART);
        } catch (ServingException e) {
            assertThat(e).hasMessageContaining("limit");
        }
        try {
            Grammar.compile(
                    GrammarSource.of(RegexParser.parse(pattern, Extent.WHOLE, GrammarLimits.DEFAULT)),
                    GrammarLimits.DEFAULT);
        } catch (ServingException e) {
            assertThat(e).hasMessageContaining("limit");
        }
    }

    @Test
    void deepGroupsAreRefused() {
        assertThatThrownBy(() -> RegexParser.parse("(".repeat(100_000), Extent.PART, GrammarLimits.DEFAULT))
                .isInstanceOf(ServingException.class);
    }

    @Test
    void anythingParsesOrIsRefused() {
        String letters = "ab()[]{}*+?|^$\\.-,0123dwspuxk:=!<>é\ud800";
        for (int seed = 0; seed < 20_000; seed++) {
            Random random = TestingGrammars.seeded(seed);
            StringBuilder pattern = new StringBuilder();
            for (int length = random.nextInt(20); length > 0; length--) {
                pattern.append(letters.charAt(random.nextInt(letters.length())));
            }
            try {
                Expr expr = RegexParser.parse(pattern.toString(), Extent.PART, GrammarLimits.DEFAULT);
                if (seed % 10 == 0) {
                    Dfa.of(expr, GrammarLimits.DEFAULT);
                }
            } catch (ServingException e) {
                assertThat(e.getMessage()).as("seed %s", seed).isNotEmpty();
            }
        }
    }
}
