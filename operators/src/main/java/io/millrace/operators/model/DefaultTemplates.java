package io.millrace.operators.model;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chat templates for models whose file names none, by the control tokens that their vocabulary has for turns. A base
 * model was not trained on them, so its answers are poor; but turns are told apart.
 */
final class DefaultTemplates {
    private static final String GEMMA_TURN = "<start_of_turn>";
    private static final String GEMMA = "{{ bos_token }}{% for message in messages %}"
            + "{{ '<start_of_turn>' + ('model' if message.role == 'assistant' else 'user') + '\\n'"
            + " + (message.content or '') + '<end_of_turn>\\n' }}{% endfor %}"
            + "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}";

    private static final String CHATML_TURN = "<|im_start|>";
    private static final String CHATML = "{% for message in messages %}"
            + "{{ '<|im_start|>' + message.role + '\\n' + (message.content or '') + '<|im_end|>\\n' }}{% endfor %}"
            + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    private DefaultTemplates() {}

    /** The template for a vocabulary, or null if it has no tokens that begin a turn. */
    static @Nullable String of(String[] tokens) {
        List<String> vocabulary = Arrays.asList(tokens);
        if (vocabulary.contains(GEMMA_TURN)) {
            return GEMMA;
        }
        return vocabulary.contains(CHATML_TURN) ? CHATML : null;
    }
}
