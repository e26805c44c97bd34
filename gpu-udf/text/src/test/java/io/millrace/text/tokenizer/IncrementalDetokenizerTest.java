package io.millrace.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Text as it comes, token by token. */
class IncrementalDetokenizerTest {
    static List<Tokenizer> tokenizers() {
        return List.of(
                Tokenizers.of(TestingVocabularies.bytePair("gpt-2", false)),
                Tokenizers.of(TestingVocabularies.sentencePiece(true)),
                Tokenizers.of(TestingVocabularies.sentencePiece(false)));
    }

    @ParameterizedTest
    @MethodSource("tokenizers")
    void piecesJoinedAreTheTextOfAllBytes(Tokenizer tokenizer) {
        TestingTexts.forAll(51, 1000, random -> {
            int[] ids = random.nextBoolean() ? anyTokens(tokenizer, random) : cutTokens(tokenizer, random);
            boolean skipSpecial = random.nextBoolean();
            IncrementalDetokenizer detokenizer = new IncrementalDetokenizer(tokenizer, skipSpecial);
            StringBuilder text = new StringBuilder();
            for (int id : ids) {
                text.append(detokenizer.accept(id));
            }
            text.append(detokenizer.flush());
            assertThat(text.toString()).isEqualTo(allAtOnce(tokenizer, ids, skipSpecial));
            if (!skipSpecial) {
                assertThat(tokenizer.decode(ids)).isEqualTo(text.toString());
            }
        });
    }

    /** Any tokens: most of those with bytes beyond ASCII are not UTF-8 together. */
    private static int[] anyTokens(Tokenizer tokenizer, Random random) {
        int bound = random.nextBoolean() ? 300 : tokenizer.vocabSize();
        return random.ints(random.nextInt(20), 0, bound).toArray();
    }

    /** A part of a text's tokens, which may begin and end inside a character. */
    private static int[] cutTokens(Tokenizer tokenizer, Random random) {
        int[] ids = tokenizer.encode(
                TestingTexts.mixed(random, 10, List.of("\ud83d\udc68\u200d\ud83d\udc69", "h\u00e9", "\u4e2d")), true);
        int start = random.nextInt(ids.length + 1);
        return Arrays.copyOfRange(ids, start, start + random.nextInt(ids.length - start + 1));
    }

    private static String allAtOnce(Tokenizer tokenizer, int[] ids, boolean skipSpecial) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        boolean first = true;
        for (int id : ids) {
            if (skipSpecial && tokenizer.isSpecial(id)) {
                continue;
            }
            byte[] token = tokenizer.tokenBytes(id);
            boolean prefixed = first && tokenizer.addSpacePrefix() && token[0] == ' ';
            bytes.write(token, prefixed ? 1 : 0, token.length - (prefixed ? 1 : 0));
            first = false;
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void holdsIncompleteCharactersBack() {
        Tokenizer tokenizer = tokenizers().get(1);
        int[] ids = tokenizer.encode("a\ud83d\ude00b", false);
        IncrementalDetokenizer detokenizer = new IncrementalDetokenizer(tokenizer, true);
        StringBuilder pieces = new StringBuilder();
        for (int id : ids) {
            pieces.append(detokenizer.accept(id)).append('|');
        }
        assertThat(pieces.toString()).isEqualTo("a||||\ud83d\ude00|b|");
        detokenizer.accept(ids[1]);
        detokenizer.accept(ids[2]);
        assertThat(detokenizer.flush()).isEqualTo("\ufffd");
        assertThat(detokenizer.flush()).isEmpty();
    }

    @Test
    void skipsSpecialTokensIfAsked() {
        Tokenizer tokenizer = tokenizers().get(0);
        int[] ids = tokenizer.encode("a<|im_end|>", true);
        assertThat(tokenizer.decode(ids)).isEqualTo("a<|im_end|>");
        IncrementalDetokenizer detokenizer = new IncrementalDetokenizer(tokenizer, true);
        assertThat(detokenizer.accept(ids[0])).isEqualTo("a");
        assertThat(detokenizer.accept(ids[1])).isEmpty();
    }
}
