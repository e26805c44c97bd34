package io.millrace.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The demo model's tokenizer beside llama.cpp's on the same file (tokenize_with_llama_cpp.mjs). */
class SmolLm2TokenizerTest {
    private static final Optional<Tokenizer> MODEL = TestingModels.smolLm2();

    private Tokenizer tokenizer;

    @BeforeEach
    void findModel() {
        assumeTrue(MODEL.isPresent(), "the demo model is not there");
        tokenizer = MODEL.get();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void hasTheTokensOfLlamaCpp(boolean parseSpecial) {
        List<String> texts = TestingGoldens.texts();
        List<int[]> expected = TestingGoldens.ids(parseSpecial ? "smollm2.special.jsonl" : "smollm2.plain.jsonl");
        assertThat(expected).hasSameSizeAs(texts);
        for (int i = 0; i < texts.size(); i++) {
            assertThat(tokenizer.encode(texts.get(i), parseSpecial))
                    .as("text %d: %s", i, texts.get(i))
                    .isEqualTo(expected.get(i));
        }
    }

    @Test
    void knowsItsSpecialTokens() {
        assertThat(tokenizer.vocabSize()).isEqualTo(49152);
        assertThat(tokenizer.bosId()).isEqualTo(1);
        assertThat(tokenizer.eosId()).isEqualTo(2);
        assertThat(tokenizer.addBos()).isFalse();
        assertThat(tokenizer.tokenText(2)).isEqualTo("<|im_end|>");
        assertThat(tokenizer.isSpecial(2)).isTrue();
        assertThat(tokenizer.isSpecial(100)).isFalse();
        assertThat(tokenizer.isEndOfTurn(0)).isTrue();
        assertThat(tokenizer.isEndOfTurn(1)).isFalse();
        assertThat(tokenizer.isEndOfTurn(2)).isTrue();
    }
}
