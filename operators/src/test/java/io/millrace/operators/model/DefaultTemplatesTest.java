package io.millrace.operators.model;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.text.template.ChatTemplate;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DefaultTemplatesTest {
    private static final List<Map<String, Object>> MESSAGES = List.of(
            Map.of("role", "user", "content", "Hello"),
            Map.of("role", "assistant", "content", "Good day"),
            Map.of("role", "user", "content", "Again"));

    @Test
    void tellsTurnsApartByTheVocabularysOwnTokens() {
        assertThat(render("<bos>", "<start_of_turn>", "<end_of_turn>"))
                .isEqualTo("<bos><start_of_turn>user\nHello<end_of_turn>\n<start_of_turn>model\nGood day<end_of_turn>\n"
                        + "<start_of_turn>user\nAgain<end_of_turn>\n<start_of_turn>model\n");
        assertThat(render("<|im_start|>", "<|im_end|>"))
                .isEqualTo("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\nGood day<|im_end|>\n"
                        + "<|im_start|>user\nAgain<|im_end|>\n<|im_start|>assistant\n");
    }

    @Test
    void knowsNoneForAVocabularyWithoutTurns() {
        assertThat(DefaultTemplates.of(new String[] {"a", "b"})).isNull();
    }

    private static String render(String... tokens) {
        return ChatTemplate.compile(requireNonNull(DefaultTemplates.of(tokens)))
                .render(Map.of("messages", MESSAGES, "bos_token", "<bos>", "add_generation_prompt", true));
    }
}
