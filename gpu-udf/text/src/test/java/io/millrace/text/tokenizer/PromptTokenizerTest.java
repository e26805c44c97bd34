package io.millrace.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.text.tokenizer.PromptTokenizer.Previous;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Prompts whose control tokens are the template's alone, and prompts that go on from others. */
class PromptTokenizerTest {
    private static final List<String> PARTS = List.of(
            "<|im_start|>",
            "<|im_end|>",
            "<|begin_of_text|>",
            "<start_of_turn>",
            "<end_of_turn>",
            "<s>",
            "</s>",
            "<tool_call>",
            "user\n",
            "the weather",
            " \n",
            "\ufdd0");

    static List<Tokenizer> tokenizers() {
        return List.of(
                Tokenizers.of(TestingVocabularies.bytePair("smollm", false)),
                Tokenizers.of(TestingVocabularies.bytePair("llama-bpe", true)),
                Tokenizers.of(TestingVocabularies.sentencePiece(true)),
                Tokenizers.of(TestingVocabularies.sentencePiece(false)),
                Tokenizers.of(TestingNestedVocabulary.make()));
    }

    @ParameterizedTest
    @MethodSource("tokenizers")
    void guardedTextHasTheTokensOfPlainText(Tokenizer tokenizer) {
        SpecialTokenGuard guard = new SpecialTokenGuard(tokenizer);
        PromptTokenizer prompts = new PromptTokenizer(tokenizer);
        int[] nothing = prompts.encode("");
        TestingTexts.forAll(41, 500, random -> {
            String text = TestingTexts.mixed(random, 15, PARTS);
            IntListOf expected = new IntListOf(nothing).with(tokenizer.encode(text.replace("\ufdd0", ""), false));
            assertThat(prompts.encode(guard.protect(text))).isEqualTo(expected.toArray());
        });
    }

    @ParameterizedTest
    @MethodSource("tokenizers")
    void controlTokensAreTheTemplatesAlone(Tokenizer tokenizer) {
        SpecialTokenGuard guard = new SpecialTokenGuard(tokenizer);
        PromptTokenizer prompts = new PromptTokenizer(tokenizer);
        String control = tokenizer.tokenText(tokenizer.eosId());
        TestingTexts.forAll(42, 500, random -> {
            StringBuilder rendered = new StringBuilder();
            IntListOf expected = new IntListOf(prompts.encode(""));
            int turns = random.nextInt(4);
            for (int i = 0; i < turns; i++) {
                // Two texts in a row, as when a template joins the parts of a message.
                String first = TestingTexts.mixed(random, 4, PARTS).replace("\ufdd0", "");
                String second = TestingTexts.mixed(random, 4, PARTS).replace("\ufdd0", "");
                rendered.append(guard.protect(first))
                        .append(guard.protect(second))
                        .append(control);
                expected.with(tokenizer.encode(first + second, false)).with(new int[] {tokenizer.eosId()});
            }
            assertThat(prompts.encode(rendered.toString())).isEqualTo(expected.toArray());
        });
    }

    @ParameterizedTest
    @MethodSource("tokenizers")
    void goingOnFromAPromptGivesTheTokensOfTheWhole(Tokenizer tokenizer) {
        PromptTokenizer prompts = new PromptTokenizer(tokenizer);
        TestingTexts.forAll(43, 1500, random -> {
            String text = TestingTexts.mixed(random, 20, PARTS);
            String previous = changed(text, random);
            int[] ids = prompts.encode(previous);
            assertThat(prompts.encode(text, new Previous(previous, ids))).isEqualTo(prompts.encode(text));
        });
    }

    private static String changed(String text, Random random) {
        int cut = random.nextInt(text.length() + 1);
        return switch (random.nextInt(4)) {
            case 0 -> text;
            case 1 -> text.substring(0, cut);
            case 2 -> text.substring(0, cut) + TestingTexts.mixed(random, 5, PARTS);
            default -> text.substring(0, cut) + "x" + text.substring(cut);
        };
    }

    @Test
    void marksWhatLooksLikeControlTokens() {
        SpecialTokenGuard guard = new SpecialTokenGuard(tokenizers().get(0));
        assertThat(guard.protect("a < b <|im_x|> <tool_call>")).isEqualTo("a < b <|im_x|> <tool_call>");
        assertThat(guard.protect("a<|im_end|>b")).isEqualTo("a<\ufdd0|im_end|>b");
        assertThat(guard.protect("<\ufdd0|im_end|>")).isEqualTo("<\ufdd0|im_end|>");
        assertThat(guard.protect("x\ufdd0y")).isEqualTo("xy");
        // What follows could be the rest of it.
        assertThat(guard.protect("a<|im_")).isEqualTo("a<\ufdd0|im_");
    }

    @Test
    void usesThePreviousTokensUpToTheLastSharedControlToken() {
        Tokenizer tokenizer = tokenizers().get(0);
        List<String> encoded = new ArrayList<>();
        PromptTokenizer prompts = new PromptTokenizer(new TestingCountingTokenizer(tokenizer, encoded));
        String first = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n";
        int[] ids = prompts.encode(first);
        encoded.clear();
        String second = first + "<|im_start|>assistant\nHi!<|im_end|>\n";
        int[] more = prompts.encode(second, new Previous(first, ids));
        assertThat(more).isEqualTo(prompts.encode(second));
        assertThat(encoded.subList(0, 3)).containsExactly("\n", "assistant\nHi!", "\n");
    }

    @Test
    void distrustsTokensThatAreNotThoseOfTheText() {
        Tokenizer tokenizer = tokenizers().get(0);
        PromptTokenizer prompts = new PromptTokenizer(tokenizer);
        String text = "<|im_start|>user\nHello<|im_end|>\n";
        assertThat(prompts.encode(text + "x", new Previous(text, new int[] {5, 6})))
                .isEqualTo(prompts.encode(text + "x"));
        assertThat(prompts.encode(text + "x", new Previous(text, new int[0]))).isEqualTo(prompts.encode(text + "x"));
    }

    @Test
    void addsTheBeginningOfSequenceTokenOnce() {
        Tokenizer tokenizer = tokenizers().get(1);
        PromptTokenizer prompts = new PromptTokenizer(tokenizer);
        int[] without = prompts.encode("Hello");
        assertThat(without[0]).isEqualTo(tokenizer.bosId());
        assertThat(prompts.encode("<|begin_of_text|>Hello")).isEqualTo(without);
        assertThat(prompts.encode("")).containsExactly(tokenizer.bosId());
    }

    /** Joins arrays. */
    private static final class IntListOf {
        private final IntList values = new IntList(16);

        IntListOf(int[] first) {
            values.addAll(first);
        }

        IntListOf with(int[] more) {
            values.addAll(more);
            return this;
        }

        int[] toArray() {
            return values.toArray();
        }
    }
}
