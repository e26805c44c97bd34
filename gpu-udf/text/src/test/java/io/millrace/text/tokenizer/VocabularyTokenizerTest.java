package io.millrace.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What all tokenizers have in common. */
class VocabularyTokenizerTest {
    private static final List<String> PARTS =
            List.of("<|im_start|>", "<|im_end|>", "<|eot_id|>", "<tool_call>", "the cache", "  \n", "it's 123");

    private final Tokenizer tokenizer = Tokenizers.of(TestingVocabularies.bytePair("qwen2", false));

    @Test
    void decodesWhatItEncoded() {
        TestingTexts.forAll(31, 500, random -> {
            String text = TestingTexts.mixed(random, 30, PARTS);
            assertThat(tokenizer.decode(tokenizer.encode(text, false))).isEqualTo(text);
            assertThat(tokenizer.decode(tokenizer.encode(text, true))).isEqualTo(text);
        });
    }

    @Test
    void controlTokensAreFoundOnlyWhereTheyAreWanted() {
        int end = tokenizer.eosId();
        assertThat(tokenizer.encode("<|im_end|>", true)).containsExactly(end);
        int[] plain = tokenizer.encode("<|im_end|>", false);
        assertThat(plain.length).isGreaterThan(1);
        assertThat(Arrays.stream(plain).noneMatch(tokenizer::isSpecial)).isTrue();
        assertThat(tokenizer.encode("a<|im_end|><|im_end|>b", true)).containsSequence(end, end);
    }

    @Test
    void userDefinedTokensAreFoundEverywhere() {
        int[] ids = tokenizer.encode("<tool_call>", false);
        assertThat(ids).hasSize(1);
        assertThat(tokenizer.isUserDefined(ids[0])).isTrue();
        assertThat(tokenizer.isSpecial(ids[0])).isFalse();
        assertThat(tokenizer.encode("<tool_call>", true)).isEqualTo(ids);
    }

    @Test
    void loneSurrogatesCountAsReplacementCharacters() {
        for (String text : List.of("\ud800", "a\udc00b", "\ude00\ud83d", "x\ud83d", "\ud83d\ud83d\ude00")) {
            String replaced = new String(text.getBytes(StandardCharsets.UTF_16BE), StandardCharsets.UTF_16BE);
            assertThat(tokenizer.decode(tokenizer.encode(text, true))).isEqualTo(replaced);
        }
    }

    @Test
    void emptyTextHasNoTokens() {
        assertThat(tokenizer.encode("", true)).isEmpty();
        assertThat(tokenizer.decode(new int[0])).isEmpty();
    }

    @Test
    void endOfTurnTokensAreControlTokensWhateverTheFileSays() {
        String[] tokens = {"a", "<|im_end|>", "<end_of_turn>", "<|eot_id|>", "b", "<x>"};
        int[] types = {1, 1, 4, 3, 1, 1};
        Vocabulary vocabulary = new Vocabulary(
                "gpt2", "gpt-2", tokens, types, new float[0], new String[0], -1, 4, 5, -1, -1, false, false, false);
        Tokenizer made = Tokenizers.of(vocabulary);
        assertThat(made.isEndOfTurn(0)).isFalse();
        for (int id = 1; id <= 5; id++) {
            assertThat(made.isEndOfTurn(id)).as("token %d", id).isTrue();
        }
        assertThat(made.isSpecial(1)).isTrue();
        assertThat(made.isSpecial(2)).isTrue();
        assertThat(made.isSpecial(4)).isFalse();
    }

    @Test
    void bytesWithoutATokenAreLeftOut() {
        String[] tokens = {"a", "b", "ab"};
        Vocabulary vocabulary = new Vocabulary(
                "gpt2",
                "gpt-2",
                tokens,
                new int[0],
                new float[0],
                new String[] {"a b", "ab ab"},
                -1,
                -1,
                -1,
                -1,
                -1,
                false,
                false,
                false);
        // "abab" is a merge without a token: its bytes are what is left.
        assertThat(Tokenizers.of(vocabulary).encode("abzabab", false)).containsExactly(2, 0, 1, 0, 1);
    }

    @Test
    void findsTheLongestSpecialTokensFirst() {
        String[] texts = {"<a>", "<a><b>", "a", "\n", "\n\n", "\n\n\n", "ba", "\ud83d\ude00x", "\ud83d\ude00"};
        int[] ids = new int[texts.length];
        Arrays.setAll(ids, i -> 10 + i);
        SpecialTokens special = new SpecialTokens(ids, texts);
        TestingTexts.forAll(32, 500, random -> {
            String text = TestingTexts.mixed(random, 20, Arrays.asList(texts)).replaceAll("\\p{Co}", "q");
            SpecialTokens.Pieces pieces = special.partition(text.toCharArray());
            StringBuilder shown = new StringBuilder();
            for (int i = 0; i < pieces.count(); i++) {
                String piece = text.substring(pieces.start(i), pieces.end(i));
                shown.append(pieces.token(i) < 0 ? piece : "[" + pieces.token(i) + "]");
            }
            assertThat(shown.toString()).isEqualTo(replaceLongestFirst(text, ids, texts));
        });
    }

    /** Replaces one token after the other, in the order of their lengths in bytes. */
    private static String replaceLongestFirst(String text, int[] ids, String[] texts) {
        Integer[] order = new Integer[texts.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Integer.compare(bytes(texts[b]), bytes(texts[a])));
        String result = text;
        for (int i : order) {
            // Private-use characters stand for tokens until all are found.
            result = result.replace(texts[i], String.valueOf((char) (0xe000 + i)));
        }
        for (int i : order) {
            result = result.replace(String.valueOf((char) (0xe000 + i)), "[" + ids[i] + "]");
        }
        return result;
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    @Test
    void refusesDamagedVocabularies() {
        assertThatThrownBy(() -> vocabulary("gpt2", new String[0], new int[0], -1))
                .hasMessageContaining("no tokens");
        assertThatThrownBy(() -> vocabulary("gpt2", new String[] {"a"}, new int[2], -1))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("token_type has 2 entries for 1 tokens");
        assertThatThrownBy(() -> vocabulary("gpt2", new String[] {"a"}, new int[0], 1))
                .hasMessageContaining("bos_token_id is 1");
        assertThatThrownBy(() -> Tokenizers.of(vocabulary("bert", new String[] {"a"}, new int[0], -1)))
                .hasMessageContaining("\"bert\"");
        assertThatThrownBy(() -> Tokenizers.of(new Vocabulary(
                        "gpt2",
                        "gpt-2",
                        new String[] {"a"},
                        new int[0],
                        new float[0],
                        new String[] {"ab"},
                        -1,
                        -1,
                        -1,
                        -1,
                        -1,
                        false,
                        false,
                        false)))
                .hasMessageContaining("merges[0]");
    }

    private static Vocabulary vocabulary(String model, String[] tokens, int[] types, int bosId) {
        return new Vocabulary(
                model, "gpt-2", tokens, types, new float[0], new String[0], bosId, -1, -1, -1, -1, false, false, false);
    }
}
