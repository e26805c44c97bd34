package io.millrace.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.text.tokenizer.StopStrings.Result;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Stop strings in text that comes in pieces. */
class StopStringsTest {
    @Test
    void endsTheTextInFrontOfTheStopString() {
        StopStrings.Matcher matcher = new StopStrings(List.of("\nUser:", "END")).newMatcher();
        assertThat(matcher.accept("Hello")).isEqualTo(new Result("Hello", null));
        assertThat(matcher.accept("\nUs")).isEqualTo(new Result("", null));
        assertThat(matcher.accept("e the")).isEqualTo(new Result("\nUse the", null));
        assertThat(matcher.accept(" E")).isEqualTo(new Result(" ", null));
        assertThat(matcher.accept("ND of")).isEqualTo(new Result("", "END"));
        assertThat(matcher.accept("more")).isEqualTo(new Result("", "END"));
        assertThat(matcher.flush()).isEmpty();
    }

    @Test
    void givesBackWhatWasHeldInVain() {
        StopStrings.Matcher matcher = new StopStrings(List.of("</tool>")).newMatcher();
        assertThat(matcher.accept("a</to")).isEqualTo(new Result("a", null));
        assertThat(matcher.flush()).isEqualTo("</to");
    }

    @Test
    void theFirstInTheListWinsATie() {
        assertThat(new StopStrings(List.of("b", "ab")).newMatcher().accept("xab"))
                .isEqualTo(new Result("xa", "b"));
        assertThat(new StopStrings(List.of("ab", "b")).newMatcher().accept("xab"))
                .isEqualTo(new Result("x", "ab"));
        assertThat(new StopStrings(List.of("abcde", "bcd")).newMatcher().accept("abcde"))
                .isEqualTo(new Result("a", "bcd"));
    }

    @Test
    void doesNotDependOnThePieces() {
        TestingTexts.forAll(61, 3000, random -> {
            List<String> stops = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) {
                stops.add(letters(random, random.nextInt(1, 6)));
            }
            String text = letters(random, random.nextInt(60));
            StopStrings.Matcher matcher = new StopStrings(stops).newMatcher();
            StringBuilder out = new StringBuilder();
            String matched = null;
            int position = 0;
            while (position < text.length() && matched == null) {
                int end = Math.min(text.length(), position + random.nextInt(5));
                Result result = matcher.accept(text.substring(position, end));
                out.append(result.text());
                matched = result.matched();
                position = end;
                int longest = stops.stream().mapToInt(String::length).max().orElse(1);
                assertThat(matched != null || position - out.length() < longest).isTrue();
            }
            out.append(matcher.flush());
            assertThat(new Result(out.toString(), matched)).isEqualTo(search(text, stops));
        });
    }

    private static Result search(String text, List<String> stops) {
        for (int end = 1; end <= text.length(); end++) {
            for (String stop : stops) {
                if (text.startsWith(stop, end - stop.length())) {
                    return new Result(text.substring(0, end - stop.length()), stop);
                }
            }
        }
        return new Result(text, null);
    }

    private static String letters(Random random, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.append("aab".charAt(random.nextInt(3)));
        }
        return text.toString();
    }

    @Test
    void detectsStopStringsInTokens() {
        Tokenizer tokenizer = Tokenizers.of(TestingVocabularies.bytePair("gpt-2", false));
        int[] ids = tokenizer.encode("the quick brown fox jumps", false);
        StopStringDetector detector = new StopStringDetector(tokenizer, new StopStrings(List.of("wn f")));
        int count = 0;
        while (!detector.accept(ids[count])) {
            count++;
        }
        int[] taken = Arrays.copyOf(ids, count + 1);
        assertThat(tokenizer.decode(taken)).contains("wn f");
        assertThat(tokenizer.decode(Arrays.copyOf(ids, count))).doesNotContain("wn f");
    }

    @Test
    void refusesWhatCannotBeMatched() {
        for (List<String> stops : List.of(
                List.of("x", ""), Collections.nCopies(65, "x"), List.of("x".repeat(StopStrings.LENGTH_MAX + 1)))) {
            assertThatThrownBy(() -> new StopStrings(stops)).isInstanceOfSatisfying(ServingException.class, e -> {
                assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
                assertThat(e.param()).isEqualTo("stop");
            });
        }
    }
}
