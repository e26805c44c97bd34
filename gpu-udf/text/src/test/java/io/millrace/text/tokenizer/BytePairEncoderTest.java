package io.millrace.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Byte-level BPE beside reference tools, for each pre-tokenizer, on a vocabulary whose merges show every cut. */
class BytePairEncoderTest {
    @ParameterizedTest
    @ValueSource(strings = {"gpt-2", "default", "llama-bpe", "qwen2", "tekken"})
    void hasTheTokensOfTheReference(String pre) {
        Tokenizer tokenizer = Tokenizers.of(TestingVocabularies.bytePair(pre, false));
        List<String> texts = TestingGoldens.texts();
        List<int[]> expected = TestingGoldens.ids("bpe-" + pre + ".jsonl");
        assertThat(expected).hasSameSizeAs(texts);
        for (int i = 0; i < texts.size(); i++) {
            assertThat(tokenizer.encode(texts.get(i), false))
                    .as("text %d: %s", i, texts.get(i))
                    .isEqualTo(expected.get(i));
        }
    }

    @Test
    void preTokenizersLeaveNothingOut() {
        TestingTexts.forAll(11, 300, random -> {
            char[] text = TestingTexts.mixed(
                            random, 30, List.of("  \n ", "don't", "12345", "HTMLParser", "?!/\n", "e\u0301"))
                    .toCharArray();
            for (String pre : List.of("gpt-2", "default", "smollm", "llama-bpe", "qwen2", "tekken")) {
                int[] end = {0};
                PreTokenizers.byName(pre).words().split(text, 0, text.length, (chars, wordStart, wordEnd) -> {
                    assertThat(wordStart).isEqualTo(end[0]);
                    assertThat(wordEnd).isGreaterThan(wordStart);
                    end[0] = wordEnd;
                });
                assertThat(end[0]).isEqualTo(text.length);
            }
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpt-2", "default", "smollm", "llama-bpe", "qwen2", "tekken"})
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void takesTimeInProportionToTheText(String pre) {
        Tokenizer tokenizer = Tokenizers.of(TestingVocabularies.bytePair(pre, false));
        for (String unit :
                List.of(" ", "\n", " \n", "\t", "a", "A", "aA", "'", "1", "!", "\u4e2d", "\u0301", "\ud83d\ude00")) {
            String text = unit.repeat((1 << 17) / unit.length());
            assertThat(tokenizer.decode(tokenizer.encode(text, true)).equals(text))
                    .as("much of %s", unit)
                    .isTrue();
            assertThat(tokenizer.encode(text + "x", true)).isNotEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {" ", "\n", "a", "the "})
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void takesAMegabyteOf(String unit) {
        Tokenizer tokenizer = Tokenizers.of(TestingVocabularies.bytePair("llama-bpe", false));
        String text = unit.repeat((1 << 20) / unit.length());
        assertThat(tokenizer.decode(tokenizer.encode(text, true)).equals(text)).isTrue();
    }

    @Test
    void mergesAsOneWouldByHand() {
        Vocabulary vocabulary = TestingVocabularies.bytePair("gpt-2", false);
        Tokenizer tokenizer = Tokenizers.of(vocabulary);
        List<String> rules = Arrays.asList(vocabulary.merges());
        TestingTexts.forAll(12, 300, random -> {
            StringBuilder word = new StringBuilder();
            for (int i = random.nextInt(1, 40); i > 0; i--) {
                word.append("abcdehilnorstuw".charAt(random.nextInt(15)));
            }
            String[] tokens = Arrays.stream(tokenizer.encode(word.toString(), false))
                    .mapToObj(tokenizer::tokenText)
                    .toArray(String[]::new);
            assertThat(tokens).containsExactly(mergeByHand(word.toString(), rules));
        });
    }

    private static String[] mergeByHand(String word, List<String> rules) {
        List<String> symbols = new ArrayList<>(Arrays.asList(word.split("")));
        while (true) {
            int best = -1;
            int bestRank = Integer.MAX_VALUE;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                int rank = rules.indexOf(symbols.get(i) + " " + symbols.get(i + 1));
                if (rank >= 0 && rank < bestRank) {
                    best = i;
                    bestRank = rank;
                }
            }
            if (best < 0) {
                return symbols.toArray(String[]::new);
            }
            symbols.set(best, symbols.get(best) + symbols.remove(best + 1));
        }
    }

    @Test
    void namesAnUnknownPreTokenizer() {
        assertThatThrownBy(() -> Tokenizers.of(TestingVocabularies.bytePair("klingon", false)))
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_FILE_INVALID))
                .hasMessageContaining("klingon")
                .hasMessageContaining("llama-bpe, llama-v3, llama3, qwen2, smollm, tekken");
    }
}
