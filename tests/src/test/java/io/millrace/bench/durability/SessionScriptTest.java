package io.millrace.bench.durability;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.Constraint;
import io.millrace.engine.StopCondition;
import io.millrace.operators.ModelText;
import io.millrace.operators.TurnText;
import io.millrace.operators.testing.TestingModelText;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.OutputRules;
import io.millrace.proto.Turn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SessionScriptTest {
    private final ModelText words = new WordText();

    @Test
    void bothPromptsHaveExactlyTheTokensAskedFor() {
        SessionScript script = SessionScript.write(words, 4000, 32);

        int[] first = words.prompt(
                        ChatRequest.newBuilder().addAllMessages(script.first()).build(), null)
                .tokenIds();
        assertThat(first).hasSize(4000);
        assertThat(script.nextPrompt()).hasSize(4032);
        assertThat(Arrays.copyOf(script.nextPrompt(), 4000)).isEqualTo(first);
    }

    @Test
    void refusesLengthsThatNoTextHas() {
        assertThatThrownBy(() -> SessionScript.write(words, 1, 32))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("exactly 1 tokens");
    }

    /** A text side of one token a word; the template writes a message's role before it. */
    private static final class WordText implements ModelText {
        private final ModelText rest = new TestingModelText(1 << 20);

        @Override
        public Prompt prompt(ChatRequest chat, @Nullable Previous previous) {
            List<Integer> ids = new ArrayList<>();
            for (ChatMessage message : chat.getMessagesList()) {
                ids.add(message.getRole().hashCode());
                for (String word : message.getContent().split(" ")) {
                    ids.add(word.hashCode());
                }
            }
            return new Prompt(
                    "", ids.stream().mapToInt(id -> id).toArray(), "", List.of(), "", OutputRules.getDefaultInstance());
        }

        @Override
        public boolean isConstraintReady(Turn turn) {
            return rest.isConstraintReady(turn);
        }

        @Override
        public @Nullable Constraint constraint(Turn turn) {
            return rest.constraint(turn);
        }

        @Override
        public TurnText newTurnText(Turn turn) {
            return rest.newTurnText(turn);
        }

        @Override
        public StopCondition stopCondition(Turn turn, int[] generatedTokens) {
            return rest.stopCondition(turn, generatedTokens);
        }

        @Override
        public String tokenText(int tokenId) {
            return rest.tokenText(tokenId);
        }

        @Override
        public int vocabSize() {
            return rest.vocabSize();
        }

        @Override
        public int maxTurnTokens() {
            return rest.maxTurnTokens();
        }
    }
}
