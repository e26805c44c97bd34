package io.millrace.operators.decode;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.testing.TestingModelText;
import io.millrace.proto.SamplingParams;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.Turn;
import io.millrace.proto.TurnFinished;
import io.millrace.proto.TurnProgress;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ActiveTurnTest {
    private static final Turn TURN = Turn.newBuilder()
            .setSessionId("s")
            .setRequestId("r")
            .addPromptTokenIds(1)
            .setArrivalMs(1000)
            .setSampling(SamplingParams.newBuilder().setMaxTokens(10))
            .build();

    private final TestingModelText text = new TestingModelText(100);

    @Test
    void turnThatIsTakenUpAnywhereSendsTheSameChunks() {
        List<TokenChunk> whole = chunks(active(TurnProgress.getDefaultInstance()), 0);
        for (int stop = 0; stop < 10; stop++) {
            ActiveTurn first = active(TurnProgress.getDefaultInstance());
            for (int i = 0; i < stop; i++) {
                first.token('a' + i, i, 2000 + i);
            }
            ActiveTurn second = active(first.save());
            assertThat(second.tokenCount()).isEqualTo(stop);
            assertThat(chunks(second, stop)).isEqualTo(whole.subList(stop, whole.size()));
        }
    }

    @Test
    void savedProgressStaysAsItWas() {
        ActiveTurn turn = active(TurnProgress.getDefaultInstance());
        assertThat(turn.isUnsaved()).isFalse();
        turn.token('a', 1, 2000);
        assertThat(turn.isUnsaved()).isTrue();
        TurnProgress saved = turn.save();
        assertThat(turn.isUnsaved()).isFalse();
        turn.token('b', 2, 2001);
        assertThat(saved.getGeneratedTokenIdsList()).containsExactly((int) 'a');
        assertThat(turn.save().getGeneratedTokenIdsList()).containsExactly((int) 'a', (int) 'b');
        assertThat(saved.hasTurn()).isFalse();
    }

    @Test
    void usageAndTimes() {
        ActiveTurn turn = active(TurnProgress.getDefaultInstance());
        turn.token('a', 1, 1250);
        turn.token('b', 2, 1300);
        turn.token('c', 3, 1350);
        TurnFinished end = turn.finished(FinishReason.LENGTH, 0, "").getFinished();
        assertThat(end.getTtftMs()).isEqualTo(250);
        assertThat(end.getItlMs()).isEqualTo(50);
        assertThat(end.getCompletionTokens()).isEqualTo(3);
        assertThat(end.getPromptTokens()).isEqualTo(1);
        TurnProgress ended = turn.ended();
        assertThat(ended.getTurn().getPromptTokenIdsCount()).isZero();
        assertThat(ended.getFinished()).isEqualTo(end);
    }

    private ActiveTurn active(TurnProgress progress) {
        return new ActiveTurn(
                TURN, SessionPlacement.bySessionId("s"), "d0", new TurnChunks(TURN, text.newTurnText(TURN)), progress);
    }

    private static List<TokenChunk> chunks(ActiveTurn turn, int from) {
        List<TokenChunk> chunks = new ArrayList<>();
        for (int i = from; i < 10; i++) {
            chunks.add(turn.token('a' + i, i, 2000 + i));
        }
        chunks.add(turn.finished(FinishReason.LENGTH, 0, ""));
        return chunks;
    }
}
