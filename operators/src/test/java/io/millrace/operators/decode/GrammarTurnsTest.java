package io.millrace.operators.decode;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.ServingException;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.operators.TestingMailbox;
import io.millrace.operators.testing.TestingModelText;
import io.millrace.proto.OutputConstraint;
import io.millrace.proto.OutputRules;
import io.millrace.proto.Turn;
import io.millrace.proto.TurnProgress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;

class GrammarTurnsTest {
    private final TestingModelText text = new TestingModelText(100);
    private final TestingMailbox mailbox = new TestingMailbox();
    private final ArrayDeque<Runnable> jobs = new ArrayDeque<>();
    private final Map<String, ActiveTurn> turns = new HashMap<>();
    private final List<String> outcomes = new ArrayList<>();
    private final GrammarTurns grammars = new GrammarTurns(text, jobs::add, mailbox, new Outcomes());

    @Test
    void turnsWithoutAFormOrWithAKnownOneGoOn() {
        assertThat(grammars.add(turn("a", "1", ""))).isFalse();
        Turn known = turn("a", "2", "x+").turn();
        text.constraint(known);
        assertThat(grammars.add(turns.get("2"))).isFalse();
        assertThat(turns.get("2").constraint()).isNotNull();
        assertThat(jobs).isEmpty();
    }

    @Test
    void turnsOfASessionKeepTheirOrder() {
        assertThat(grammars.add(turn("a", "1", "x+"))).isTrue();
        assertThat(grammars.add(turn("a", "2", ""))).isTrue();
        assertThat(grammars.add(turn("a", "3", "y+"))).isTrue();
        assertThat(grammars.add(turn("b", "4", ""))).isFalse();
        jobs.remove();
        jobs.remove().run();
        mailbox.runAll();
        assertThat(outcomes).isEmpty();
        assertThat(grammars.size()).isEqualTo(3);
    }

    @Test
    void turnsThatDemandTheSameWaitForOneGrammar() {
        for (int i = 0; i < 5; i++) {
            grammars.add(turn("s" + i, "" + i, "x+"));
        }
        assertThat(jobs).hasSize(1);
        runAll();
        assertThat(outcomes).containsExactly("0", "1", "2", "3", "4");
        assertThat(turns.get("3").constraint()).isNotNull();
        assertThat(grammars.size()).isZero();
    }

    @Test
    void fewAreMadeAtATime() {
        for (int i = 0; i < 5; i++) {
            grammars.add(turn("s" + i, "" + i, "x{" + i + "}"));
        }
        assertThat(jobs).hasSize(GrammarTurns.GRAMMARS_MAX);
        runAll();
        assertThat(outcomes).hasSize(5);
    }

    @Test
    void whatIsNotSupportedFailsInItsTurn() {
        grammars.add(turn("a", "1", "x+"));
        grammars.add(turn("a", "2", "(?=x)"));
        grammars.add(turn("a", "3", ""));
        Runnable first = jobs.remove();
        runAll();
        assertThat(outcomes).isEmpty();
        first.run();
        runAll();
        assertThat(outcomes).containsExactly("1", "2: ServingException", "3");
        assertThat(grammars.size()).isZero();
    }

    @Test
    void turnThatIsTakenOutLetsThoseBehindItGo() throws Exception {
        grammars.add(turn("a", "1", "x+"));
        grammars.add(turn("a", "2", ""));
        grammars.add(turn("a", "3", ""));
        assertThat(grammars.remove(turns.get("2"))).isTrue();
        assertThat(grammars.remove(turns.get("2"))).isFalse();
        assertThat(outcomes).isEmpty();
        assertThat(grammars.remove(turns.get("1"))).isTrue();
        assertThat(outcomes).containsExactly("3");
        assertThat(grammars.size()).isZero();
        // The grammar is made all the same, and nobody takes it amiss; the next to want it has it.
        runAll();
        assertThat(outcomes).containsExactly("3");
        assertThat(grammars.add(turn("a", "4", "x+"))).isFalse();
    }

    @Test
    void makesThemItselfWhereNobodyElseDoes() {
        GrammarTurns alone = new GrammarTurns(
                text,
                job -> {
                    throw new RejectedExecutionException("full, on purpose");
                },
                mailbox,
                new Outcomes());
        alone.add(turn("a", "1", "x+"));
        mailbox.runAll();
        assertThat(outcomes).containsExactly("1");
    }

    @Test
    void taskThatHasEndedHearsNothing() {
        grammars.add(turn("a", "1", "x+"));
        mailbox.close();
        jobs.remove().run();
        assertThat(outcomes).isEmpty();
    }

    private void runAll() {
        while (!jobs.isEmpty() || mailbox.size() > 0) {
            if (!jobs.isEmpty()) {
                jobs.remove().run();
            }
            mailbox.runAll();
        }
    }

    private ActiveTurn turn(String session, String request, String regex) {
        Turn.Builder turn = Turn.newBuilder().setSessionId(session).setRequestId(request);
        if (!regex.isEmpty()) {
            turn.setOutputRules(OutputRules.newBuilder()
                    .setContent(OutputConstraint.newBuilder().setRegex(regex)));
        }
        ActiveTurn active = new ActiveTurn(
                turn.build(),
                SessionPlacement.bySessionId(session),
                "d" + request,
                new TurnChunks(turn.build(), text.newTurnText(turn.build())),
                TurnProgress.getDefaultInstance());
        turns.put(request, active);
        return active;
    }

    /** Notes the ids of turns, and what went wrong. */
    private final class Outcomes implements GrammarTurns.Receiver {
        @Override
        public void ready(ActiveTurn turn) {
            outcomes.add(turn.turn().getRequestId());
        }

        @Override
        public void failed(ActiveTurn turn, RuntimeException why) {
            assertThat(why).isInstanceOf(ServingException.class);
            outcomes.add(turn.turn().getRequestId() + ": " + why.getClass().getSimpleName());
        }
    }
}
