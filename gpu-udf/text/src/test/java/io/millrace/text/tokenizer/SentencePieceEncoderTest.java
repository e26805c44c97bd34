package io.millrace.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** SentencePiece's encoding beside the package sentencepiece (make_sentencepiece_goldens.py). */
class SentencePieceEncoderTest {
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void hasTheTokensOfTheReference(boolean spacePrefix) {
        Tokenizer tokenizer = Tokenizers.of(TestingVocabularies.sentencePiece(spacePrefix));
        List<String> texts = TestingGoldens.texts();
        List<int[]> expected = TestingGoldens.ids(spacePrefix ? "spm-prefix.jsonl" : "spm-no-prefix.jsonl");
        assertThat(expected).hasSameSizeAs(texts);
        for (int i = 0; i < texts.size(); i++) {
            assertThat(tokenizer.encode(texts.get(i), false))
                    .as("text %d: %s", i, texts.get(i))
                    .isEqualTo(expected.get(i));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void decodesWhatItEncoded(boolean spacePrefix) {
        Tokenizer tokenizer = Tokenizers.of(TestingVocabularies.sentencePiece(spacePrefix));
        TestingTexts.forAll(21, 500, random -> {
            String text = TestingTexts.mixed(random, 30, List.of(" ", "the ", "\n\n", "they're", "<s>", "<0x41>"));
            // The vocabulary's own mark for a space cannot be told from a space, and a prefix comes after every
            // user-defined token, of which the vocabulary with a prefix has none.
            text = text.replace('\u2581', 'x');
            assertThat(tokenizer.decode(tokenizer.encode(text, false))).isEqualTo(text);
        });
    }

    @Test
    void putsASpaceBehindSpecialTokens() {
        Tokenizer tokenizer = Tokenizers.of(TestingVocabularies.sentencePiece(true));
        int[] turn = tokenizer.encode("<start_of_turn>", true);
        assertThat(turn).hasSize(1);
        int[] joined = tokenizer.encode("<start_of_turn>the<start_of_turn>", true);
        assertThat(joined).startsWith(turn).endsWith(turn);
        assertThat(tokenizer.tokenText(joined[1])).startsWith("\u2581");
    }

    @Test
    void textThatLooksLikeControlOrByteTokensIsText() {
        Tokenizer tokenizer = Tokenizers.of(TestingVocabularies.sentencePiece(false));
        for (String text : List.of("</s>", "<s>", "<unk>", "<end_of_turn>", "<0x0A>")) {
            int[] ids = tokenizer.encode(text, false);
            assertThat(ids.length).isGreaterThan(1);
            assertThat(Arrays.stream(ids).noneMatch(tokenizer::isSpecial)).isTrue();
            assertThat(tokenizer.decode(ids)).isEqualTo(text);
        }
        assertThat(tokenizer.encode("</s>", true)).containsExactly(2);
    }

    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS)
    void takesTimeInProportionToTheText() {
        for (boolean spacePrefix : new boolean[] {true, false}) {
            Tokenizer tokenizer = Tokenizers.of(TestingVocabularies.sentencePiece(spacePrefix));
            for (String unit : List.of(" ", "\n", "\t", "a", "the ", "o", "\u4e2d", "\ud83d\ude00")) {
                String text = unit.repeat((1 << 17) / unit.length());
                assertThat(tokenizer.decode(tokenizer.encode(text, true)).equals(text))
                        .as("much of %s", unit)
                        .isTrue();
            }
        }
    }
}
