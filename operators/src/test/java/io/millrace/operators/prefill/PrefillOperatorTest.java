package io.millrace.operators.prefill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.millrace.engine.Engine;
import io.millrace.engine.EngineOptions;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.kv.flink.HandoverRecord;
import io.millrace.kv.flink.HandoverSerializer;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.kv.flink.SessionPlacementTypeInfo;
import io.millrace.operators.handover.HandoverSettings;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.proto.Turn;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.runtime.tasks.mailbox.Mail;
import org.apache.flink.streaming.runtime.tasks.mailbox.TaskMailbox;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The test is the engine's thread: nothing is computed but when it says so. */
class PrefillOperatorTest {
    private static final int BLOCK_SIZE_TOKENS = 16;
    private static final int MIN_UNCACHED_TOKENS = 32;

    private final Engine engine = new Engine(
            EngineOptions.of("testing", Set.of(), 2048), new TestingModelInstance(512, BLOCK_SIZE_TOKENS), () -> {});
    private final TestingServedModel model = new TestingServedModel("prefill-operator-test", engine, 2048);
    private KeyedOneInputStreamOperatorTestHarness<SessionPlacement, Turn, HandoverRecord> harness;

    @BeforeEach
    void open() throws Exception {
        harness = newHarness();
        harness.open();
        work();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
        work();
        engine.checkIntegrity();
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
        engine.close();
    }

    @Test
    void longPromptIsComputedAndWhatFollowsItPasses() throws Exception {
        process(turn("s", "r0", 100).build());
        assertThat(taken()).isEmpty();
        work();
        assertThat(taken())
                .containsExactly(turn("s", "r0", 100).setCachedTokens(0).build());
        process(turn("s", "r1", 120).build());
        assertThat(taken())
                .containsExactly(turn("s", "r1", 120).setCachedTokens(96).build());
    }

    @Test
    void whatTheSessionsLastPromptHadIsLeftToDecode() throws Exception {
        Turn little = turn("s", "r0", 432).setSessionPrefixTokens(410).build();
        process(little);
        assertThat(taken()).containsExactly(little);
        // Computing the 400 here would cost more than the 300 are.
        Turn less = turn("s", "r1", 700).setSessionPrefixTokens(410).build();
        process(less);
        assertThat(taken()).containsExactly(less);
        Turn more = turn("s", "r2", 801).setSessionPrefixTokens(410).build();
        process(more);
        assertThat(taken()).isEmpty();
        work();
        assertThat(taken()).containsExactly(more.toBuilder().setCachedTokens(0).build());
        // Now the engine has it all, and that is what counts.
        Turn cached = turn("s", "r3", 810).setSessionPrefixTokens(410).build();
        process(cached);
        assertThat(taken())
                .containsExactly(cached.toBuilder().setCachedTokens(800).build());
    }

    @Test
    void closeEndsThePendingTurnsOfItsSessionFirst() throws Exception {
        process(turn("s", "r0", 100).build());
        process(turn("t", "r0", 110).build());
        process(turn("s", "r1", 120).build());
        engine.doWork();
        process(closing("s", "c").build());
        assertThat(taken())
                .containsExactly(
                        turn("s", "r0", 100).setCancel(true).build(),
                        turn("s", "r1", 120).setCancel(true).build(),
                        closing("s", "c").build());
        OperatorSubtaskState state = harness.snapshot(1, 1);
        work();
        assertThat(taken())
                .extracting(Turn::getSessionId, Turn::getRequestId, Turn::getCancel)
                .containsExactly(tuple("t", "r0", false));
        reopen(state);
        work();
        assertThat(taken()).extracting(Turn::getSessionId, Turn::getRequestId).containsExactly(tuple("t", "r0"));
    }

    @Test
    void closeThatComesAgainEndsNoTurn() throws Exception {
        process(turn("s", "r0", 100).build());
        Turn again = closing("s", "c").setRepeat(true).build();
        process(again);
        assertThat(taken()).containsExactly(again);
        work();
        assertThat(taken()).extracting(Turn::getCancel).containsExactly(false);
    }

    @Test
    void cancelledTurnGoesOnToEnd() throws Exception {
        process(turn("s", "r0", 100).build());
        Turn cancel = Turn.newBuilder()
                .setSessionId("s")
                .setRequestId("r0")
                .setCancel(true)
                .build();
        process(cancel);
        assertThat(taken()).containsExactly(turn("s", "r0", 100).setCancel(true).build());
        process(cancel);
        assertThat(taken()).containsExactly(cancel);
        work();
        assertThat(taken()).isEmpty();
    }

    @Test
    void pendingTurnIsComputedAfterARestore() throws Exception {
        process(turn("s", "r0", 100).setArrivalMs(1).build());
        process(turn("t", "r0", 110).setArrivalMs(2).build());
        OperatorSubtaskState state = harness.snapshot(1, 1);
        reopen(state);
        assertThat(taken()).isEmpty();
        // The source may send it again: it is known.
        process(turn("s", "r0", 100).setRepeat(true).build());
        assertThat(taken()).isEmpty();
        work();
        assertThat(taken()).extracting(Turn::getSessionId).containsExactly("s", "t");
        state = harness.snapshot(2, 2);
        reopen(state);
        work();
        assertThat(taken()).isEmpty();
    }

    @Test
    void restoredTurnWhosePromptTheEngineHasPassesAtOnce() throws Exception {
        process(turn("s", "r0", 100).build());
        OperatorSubtaskState state = harness.snapshot(1, 1);
        work();
        assertThat(taken()).hasSize(1);
        long computedTokens = engine.stats().promptTokens();
        reopen(state);
        assertThat(taken())
                .containsExactly(turn("s", "r0", 100).setCachedTokens(96).build());
        work();
        assertThat(taken()).isEmpty();
        assertThat(engine.stats().promptTokens()).isEqualTo(computedTokens);
    }

    private void process(Turn turn) throws Exception {
        harness.processElement(turn, 0);
    }

    /** Lets the engine do all there is to do, and the operator hear of it. */
    private void work() throws Exception {
        do {
            mails();
        } while (engine.doWork() > 0);
        mails();
    }

    private void mails() throws Exception {
        TaskMailbox mailbox = harness.getTaskMailbox();
        if (mailbox.getState() != TaskMailbox.State.OPEN) {
            return;
        }
        for (Optional<Mail> mail = mailbox.tryTake(TaskMailbox.MIN_PRIORITY);
                mail.isPresent();
                mail = mailbox.tryTake(TaskMailbox.MIN_PRIORITY)) {
            mail.get().run();
        }
    }

    private List<Turn> taken() {
        List<Turn> turns = harness.extractOutputValues().stream()
                .map(handed -> ((HandoverRecord.OfTurn) handed).turn())
                .toList();
        harness.getOutput().clear();
        return turns;
    }

    private void reopen(OperatorSubtaskState state) throws Exception {
        harness.close();
        engine.doWork();
        harness = newHarness();
        harness.initializeState(state);
        harness.open();
        mails();
    }

    /** Prompts of a session begin alike. */
    private static Turn.Builder turn(String sessionId, String requestId, int promptTokens) {
        Turn.Builder turn = Turn.newBuilder()
                .setSessionId(sessionId)
                .setRequestId(requestId)
                .setCachedTokens(-1);
        for (int i = 0; i < promptTokens; i++) {
            turn.addPromptTokenIds((i + sessionId.charAt(0)) % 200);
        }
        return turn;
    }

    private static Turn.Builder closing(String sessionId, String requestId) {
        return Turn.newBuilder().setSessionId(sessionId).setRequestId(requestId).setClose(true);
    }

    private KeyedOneInputStreamOperatorTestHarness<SessionPlacement, Turn, HandoverRecord> newHarness()
            throws Exception {
        KeyedOneInputStreamOperatorTestHarness<SessionPlacement, Turn, HandoverRecord> created =
                new KeyedOneInputStreamOperatorTestHarness<>(
                        new PrefillOperatorFactory(
                                model, new PrefillSettings(MIN_UNCACHED_TOKENS, 16, HandoverSettings.OFF)),
                        turn -> new SessionPlacement(turn.getSessionId(), turn.getPlacementHash()),
                        SessionPlacementTypeInfo.INSTANCE);
        created.setup(HandoverSerializer.INSTANCE);
        return created;
    }
}
