package io.millrace.operators.tiers;

import static io.millrace.operators.tiers.TestingSessions.BLOCK_TOKENS;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.engine.testing.TestingRequests;
import io.millrace.kv.KvBlockLayout;
import io.millrace.kv.KvElementType;
import io.millrace.kv.flink.SessionPlacement;
import io.millrace.proto.BlockRun;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SessionTiersTest {
    private static final SessionPlacement A = SessionPlacement.bySessionId("a");
    private static final SessionPlacement B = SessionPlacement.bySessionId("b");
    private static final SessionPlacement C = SessionPlacement.bySessionId("c");
    private static final int VALUE_BYTES = 59 + BLOCK_TOKENS * 2 * Float.BYTES;

    private final List<TestingSessions> opened = new ArrayList<>();

    @AfterEach
    void everythingIsAccountedFor() throws Exception {
        for (TestingSessions sessions : opened) {
            sessions.close();
        }
    }

    @Test
    void nextTurnOnANewEngineComputesWhatIsNew() throws Exception {
        TestingSessions sessions = open(settings(), true, 0);
        int[] first = sessions.turn(A, prompt(0, 41), 10);
        assertThat(sessions.state.sessionRecord(A).getStoredBlocks()).isEqualTo(50 / BLOCK_TOKENS);
        sessions.restart();
        sessions.turn(A, append(first, prompt(7, 5)), 10);
        assertThat(sessions.loadedTokens()).isEqualTo(48);
        assertThat(sessions.computedTokens()).isEqualTo(56 - 48);
        assertThat(sessions.state.sessionRecord(A).getTurnCount()).isEqualTo(2);
        assertThat(sessions.state.sessionRecord(A).getTokenCount()).isEqualTo(66);
    }

    @Test
    void blocksOfAnotherFormatAreNone() throws Exception {
        // The same bytes a block, half as many, and other elements: each might be taken for what it is not.
        List<KvBlockLayout> others = List.of(
                new KvBlockLayout(1, 1, 1, BLOCK_TOKENS, KvElementType.F32, "other/1"),
                new KvBlockLayout(1, 1, 4, BLOCK_TOKENS, KvElementType.BF16, "other/1"),
                new KvBlockLayout(1, 1, 4, BLOCK_TOKENS, KvElementType.F16, "other/1"),
                new KvBlockLayout(1, 1, 2, BLOCK_TOKENS, KvElementType.BF16, KvBlockLayout.PLAIN));
        for (KvBlockLayout other : others) {
            TestingSessions sessions = open(settings(), true, 50);
            int[] first = sessions.turn(A, prompt(0, 41), 10);
            sessions.restart(other);
            sessions.tiers().bringAhead();
            sessions.settle();
            int[] second = sessions.turn(A, append(first, prompt(7, 5)), 10);
            assertThat(sessions.loadedTokens()).as("%s", other).isZero();
            assertThat(sessions.computedTokens()).as("%s", other).isEqualTo(56);
            // And those of the new format are found again, like any.
            sessions.restart(other);
            sessions.turn(A, append(second, prompt(3, 5)), 10);
            assertThat(sessions.loadedTokens()).as("%s", other).isEqualTo(64);
        }
    }

    @Test
    void hostAloneServesWhatTheDeviceHasLost() throws Exception {
        TestingSessions sessions = open(settings(), false, 100);
        int[] first = sessions.turn(A, prompt(0, 81), 10);
        sessions.turn(B, prompt(100, 101), 10);
        sessions.turn(C, prompt(200, 101), 10);
        long computed = sessions.computedTokens();
        sessions.turn(A, append(first, prompt(7, 5)), 10);
        assertThat(sessions.counters().promotedFromHostBlocks.sum()).isPositive();
        assertThat(sessions.computedTokens() - computed).isLessThan(96 - 80);
        assertThat(sessions.state.runs(A)).isEmpty();
    }

    @Test
    void fullHostKeepsTheBeginningOfAChain() throws Exception {
        TestingSessions sessions = open(settings(), false, 64);
        sessions.turn(A, prompt(0, 81), 10);
        sessions.turn(B, prompt(100, 101), 10);
        sessions.turn(C, prompt(200, 101), 10);
        assertThat(sessions.host().stats().findableBlocks()).isEqualTo(64);
        TestingSessions.Turn turn = sessions.begin(A, prompt(0, 81), 10);
        // 27 blocks each of the later two: 10 are left of 22.
        for (int i = 0; i < 20; i++) {
            assertThat(sessions.host().contains(turn.blocks.block(i)))
                    .as("block %s", i)
                    .isEqualTo(i < 10);
        }
        sessions.settle();
        turn.end();
    }

    @Test
    void stateServesWhatTheDeviceHasLost() throws Exception {
        TestingSessions sessions = open(settings(), true, 0);
        int[] first = sessions.turn(A, prompt(0, 81), 10);
        sessions.turn(B, prompt(100, 101), 10);
        sessions.turn(C, prompt(200, 101), 10);
        long computed = sessions.computedTokens();
        sessions.turn(A, append(first, prompt(7, 5)), 10);
        assertThat(sessions.counters().promotedFromStateBlocks.sum()).isPositive();
        assertThat(sessions.computedTokens() - computed).isLessThan(96 - 80);
    }

    @Test
    void withoutTiersEverythingIsComputed() throws Exception {
        TestingSessions sessions = open(settings(), false, 0);
        int[] first = sessions.turn(A, prompt(0, 41), 10);
        sessions.restart();
        sessions.turn(A, append(first, prompt(7, 5)), 10);
        assertThat(sessions.loadedTokens()).isZero();
        assertThat(sessions.computedTokens()).isEqualTo(56);
    }

    @Test
    void runningTurnIsSavedBeforeItEnds() throws Exception {
        TestingSessions sessions = open(settings(), true, 0);
        TestingSessions.Turn turn = sessions.begin(A, prompt(0, 41), 20);
        sessions.settle();
        int[] generated = turn.generated();
        int saves = 0;
        for (int count = 1; count <= generated.length; count++) {
            if (turn.blocks.isSaveDue(count)) {
                saves++;
                sessions.tiers().progressed(turn.blocks, Arrays.copyOf(generated, count));
                sessions.settle();
            }
        }
        // The prompt's at once, and then every four blocks.
        assertThat(saves).isEqualTo(2);
        assertThat(sessions.namedKeys(A)).hasSize(14);
        turn.end();
        sessions.settle();
        assertThat(sessions.namedKeys(A)).hasSize(15);
    }

    @Test
    void sharedPrefixIsWrittenOnceAndComputedOnce() throws Exception {
        TestingSessions sessions = open(settings(), true, 0);
        int[] system = prompt(0, 40);
        int[] a = sessions.turn(A, append(system, prompt(50, 21)), 5);
        int[] b = sessions.turn(B, append(system, prompt(90, 21)), 5);
        assertThat(sessions.namedKeys(A)).hasSize(16);
        assertThat(sessions.namedKeys(B)).hasSize(6);
        assertThat(sessions.counters().sharedBlocks.sum()).isEqualTo(10);
        sessions.restart();
        sessions.turn(B, append(b, prompt(3, 5)), 5);
        assertThat(sessions.loadedTokens()).isEqualTo(24);
        assertThat(sessions.computedTokens()).isEqualTo(71 - 24);
        long computed = sessions.computedTokens();
        sessions.turn(A, append(a, prompt(3, 5)), 5);
        assertThat(sessions.computedTokens() - computed).isEqualTo(71 - 64);
    }

    @Test
    void damagedValueIsComputedAndSavedAgain() throws Exception {
        TestingSessions sessions = open(settings(), true, 0);
        int[] first = sessions.turn(A, prompt(0, 41), 10);
        long key = sessions.namedKeys(A).get(5);
        sessions.store.values(A).get(key)[70] ^= 4;
        sessions.restart();
        int[] second = sessions.turn(A, append(first, prompt(7, 5)), 10);
        assertThat(sessions.loadedTokens()).isEqualTo(5 * BLOCK_TOKENS);
        assertThat(sessions.counters().damagedBlocks.sum()).isEqualTo(1);
        assertThat(sessions.namedKeys(A)).doesNotContain(key);
        sessions.restart();
        sessions.turn(A, append(second, prompt(7, 5)), 10);
        assertThat(sessions.counters().damagedBlocks.sum()).isZero();
        assertThat(sessions.loadedTokens()).isEqualTo((second.length - 1) / BLOCK_TOKENS * BLOCK_TOKENS);
    }

    @Test
    void contextThatHasBecomeAnotherIsDropped() throws Exception {
        TestingSessions sessions = open(settings(), true, 0);
        sessions.turn(A, prompt(0, 41), 10);
        List<BlockRun> before = sessions.state.runs(A);
        sessions.turn(A, prompt(100, 41), 10);
        assertThat(sessions.state.runs(A)).doesNotContainAnyElementsOf(before);
        assertThat(sessions.namedKeys(A)).hasSize(12);
        assertThat(sessions.counters().divergedBlocks.sum()).isEqualTo(12);
        assertThat(sessions.catalog().storedBytes()).isEqualTo(12L * VALUE_BYTES);
    }

    @Test
    void sessionUsedLongestAgoGivesItsBlocksUp() throws Exception {
        TestingSessions sessions =
                open(settings(30L * VALUE_BYTES, TierSettings.Retention.LEAST_RECENTLY_USED), true, 0);
        sessions.turn(A, prompt(0, 41), 10);
        sessions.task.pass(10);
        sessions.turn(B, prompt(100, 41), 10);
        sessions.task.pass(10);
        sessions.turn(C, prompt(200, 41), 10);
        assertThat(sessions.namedKeys(A)).isEmpty();
        assertThat(sessions.state.sessionRecord(A).getStoredBytes()).isZero();
        assertThat(sessions.namedKeys(B)).hasSize(12);
        assertThat(sessions.namedKeys(C)).hasSize(12);
        assertThat(sessions.counters().evictedSessions.sum()).isEqualTo(1);
        // The order is known after a restart too.
        sessions.restart();
        assertThat(sessions.catalog().storedBytes()).isEqualTo(24L * VALUE_BYTES);
        sessions.turn(A, prompt(0, 41), 10);
        assertThat(sessions.namedKeys(B)).isEmpty();
        assertThat(sessions.namedKeys(A)).hasSize(12);
    }

    @Test
    void whatIsAboveTheLimitAloneIsNotSaved() throws Exception {
        TestingSessions sessions =
                open(settings(5L * VALUE_BYTES, TierSettings.Retention.LEAST_RECENTLY_USED), true, 0);
        sessions.turn(A, prompt(0, 41), 10);
        assertThat(sessions.namedKeys(A)).isEmpty();
        assertThat(sessions.counters().skippedBlocks.sum()).isEqualTo(12);
    }

    @Test
    void nothingOutlivesATurnWhereThatIsTheRetention() throws Exception {
        TestingSessions sessions = open(settings(Long.MAX_VALUE, TierSettings.Retention.DROP_AFTER_TURN), true, 0);
        TestingSessions.Turn turn = sessions.begin(A, prompt(0, 41), 10);
        sessions.settle();
        sessions.tiers().progressed(turn.blocks, Arrays.copyOf(turn.generated(), 1));
        sessions.settle();
        assertThat(sessions.namedKeys(A)).hasSize(10);
        turn.end();
        sessions.settle();
        assertThat(sessions.namedKeys(A)).isEmpty();
        assertThat(sessions.state.sessionRecord(A).getStoredBlocks()).isZero();
    }

    @Test
    void sessionEndsWithItsTimeToLive() throws Exception {
        TestingSessions sessions = open(settings(), true, 0);
        sessions.turn(A, prompt(0, 41), 10);
        long first = sessions.timers.get(A);
        sessions.task.pass(40_000);
        sessions.turn(A, prompt(0, 41), 10);
        sessions.task.pass(30_000);
        fire(sessions, A);
        long second = sessions.timers.get(A);
        assertThat(second - first).isEqualTo(40_000);
        assertThat(sessions.namedKeys(A)).isNotEmpty();
        sessions.task.pass(31_000);
        fire(sessions, A);
        assertThat(sessions.state.sessionRecord(A)).isNull();
        assertThat(sessions.store.values(A)).isEmpty();
        assertThat(sessions.catalog().sessionCount()).isZero();
        assertThat(sessions.counters().expiredSessions.sum()).isEqualTo(1);
        fire(sessions, A);
    }

    @Test
    void sessionWithARunningTurnDoesNotEnd() throws Exception {
        TestingSessions sessions = open(settings(), true, 0);
        TestingSessions.Turn turn = sessions.begin(A, prompt(0, 41), 10);
        sessions.task.pass(1_000_000);
        fire(sessions, A);
        assertThat(sessions.state.sessionRecord(A)).isNotNull();
        sessions.settle();
        turn.end();
    }

    @Test
    void blocksOfADroppedSessionThatAreOnTheirWayGoToo() throws Exception {
        TestingSessions sessions = open(settings(), true, 0);
        TestingSessions.Turn turn = sessions.begin(A, prompt(0, 41), 10);
        sessions.settle();
        turn.end();
        // The job has begun, and is not done.
        sessions.task.runOne();
        sessions.task.setCurrentKey(A);
        sessions.tiers().drop(A);
        sessions.settle();
        assertThat(sessions.store.values(A)).isEmpty();
        assertThat(sessions.state.runs(A)).isEmpty();
        assertThat(sessions.catalog().sessionCount()).isZero();
        sessions.turn(A, prompt(0, 41), 10);
        assertThat(sessions.namedKeys(A)).hasSize(12);
    }

    @Test
    void everythingUnsavedIsSavedOnDemand() throws Exception {
        TestingSessions sessions = open(settings(), true, 0);
        sessions.store.failToWrite(true);
        sessions.turn(A, prompt(0, 41), 10);
        assertThat(sessions.namedKeys(A)).isEmpty();
        sessions.store.failToWrite(false);
        TestingSessions.Turn running = sessions.begin(B, prompt(100, 41), 10);
        sessions.settle();
        List<SaveReport> reports = new ArrayList<>();
        sessions.tiers().saveAll(reports::add);
        sessions.settle();
        assertThat(reports).containsExactly(new SaveReport(2, 24, 24L * VALUE_BYTES, 0));
        assertThat(sessions.namedKeys(A)).hasSize(12);
        // What a running turn has generated since it was looked at counts too.
        assertThat(sessions.namedKeys(B)).hasSize(12);
        running.end();
    }

    @Test
    void lastSessionsAreBroughtAheadToHost() throws Exception {
        TestingSessions sessions = open(settings(), true, 30);
        sessions.turn(A, prompt(0, 41), 10);
        sessions.task.pass(10);
        sessions.turn(B, prompt(100, 41), 10);
        sessions.task.pass(10);
        int[] c = sessions.turn(C, prompt(200, 41), 10);
        sessions.restart();
        sessions.tiers().bringAhead();
        sessions.settle();
        assertThat(sessions.counters().prefetchedBlocks.sum()).isEqualTo(24);
        sessions.turn(C, append(c, prompt(3, 5)), 5);
        assertThat(sessions.counters().promotedFromHostBlocks.sum()).isEqualTo(12);
        assertThat(sessions.counters().promotedFromStateBlocks.sum()).isZero();
    }

    @Test
    void sessionsAreListedByPages() throws Exception {
        TestingSessions sessions = open(settings(), true, 30);
        sessions.turn(A, prompt(0, 41), 10);
        sessions.turn(B, prompt(100, 41), 10);
        TestingSessions.Turn running = sessions.begin(C, prompt(200, 41), 10);
        sessions.settle();
        List<SessionView> first = sessions.tiers().sessions("", 2);
        assertThat(first)
                .extracting(view -> view.sessionRecord().getSessionId())
                .containsExactly("a", "b");
        assertThat(first).extracting(SessionView::hostBlocks).containsExactly(12, 12);
        assertThat(first).extracting(SessionView::deviceBlocks).containsExactly(12, 12);
        List<SessionView> second = sessions.tiers().sessions("b", 2);
        assertThat(second).extracting(SessionView::runningTurns).containsExactly(1);
        assertThat(second).extracting(SessionView::tokens).containsExactly(51);
        running.end();
    }

    private static void fire(TestingSessions sessions, SessionPlacement session) throws Exception {
        sessions.task.setCurrentKey(session);
        sessions.tiers().onTimer(session);
    }

    private TestingSessions open(TierSettings settings, boolean hasStore, int hostSlots) {
        TestingSessions sessions = new TestingSessions(settings, hasStore, hostSlots);
        opened.add(sessions);
        return sessions;
    }

    private static TierSettings settings() {
        return settings(Long.MAX_VALUE, TierSettings.Retention.LEAST_RECENTLY_USED);
    }

    private static TierSettings settings(long maxBytes, TierSettings.Retention retention) {
        return new TierSettings(
                Long.MAX_VALUE, true, maxBytes, 0, 4, 1 << 16, retention, LoadPolicy.ALWAYS, Duration.ofMinutes(1));
    }

    private static int[] prompt(int from, int count) {
        return TestingRequests.prompt(from, count, TestingModelInstance.VOCAB_SIZE);
    }

    private static int[] append(int[] tokens, int[] more) {
        int[] all = Arrays.copyOf(tokens, tokens.length + more.length);
        System.arraycopy(more, 0, all, tokens.length, more.length);
        return all;
    }
}
