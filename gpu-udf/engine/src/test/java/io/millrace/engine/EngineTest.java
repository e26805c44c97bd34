package io.millrace.engine;

import static io.millrace.engine.testing.TestingRequests.generate;
import static io.millrace.engine.testing.TestingRequests.prefill;
import static io.millrace.engine.testing.TestingRequests.prompt;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.SequenceEvent.Failed;
import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.engine.SequenceEvent.Finished;
import io.millrace.engine.SequenceEvent.Prefilled;
import io.millrace.engine.SequenceRequest.Purpose;
import io.millrace.engine.testing.TestingListener;
import io.millrace.engine.testing.TestingLogits;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class EngineTest {
    private static final int VOCAB = 300;
    private static final int END = 299;
    private static final int BLOCK_SIZE = 4;

    private final AtomicLong clock = new AtomicLong();
    private final TestingModelInstance instance =
            new TestingModelInstance(VOCAB, 16, BLOCK_SIZE, TestingLogits.counting());
    private final Engine engine = new Engine(options(), instance, () -> {});
    private final TestingListener listener = new TestingListener();
    private final EngineLease lease = engine.lease("test", listener, 1000);

    private EngineOptions options() {
        return EngineOptions.of("testing", Set.of(END), 48).withLimits(16, 4, 8).withClock(clock::get);
    }

    @AfterEach
    void nothingIsLeftBehind() {
        engine.checkIntegrity();
        run();
        engine.checkIntegrity();
        engine.close();
        engine.checkIntegrity();
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
        assertThat(engine.stats().runningSequences()).isZero();
        assertThat(instance.isClosed()).isTrue();
    }

    @Test
    void generatesUntilLength() {
        assertThat(lease.submit(generate("a", prompt(10, 6, VOCAB), SamplingParameters.greedy(3))))
                .isEqualTo(Admission.ACCEPTED);
        run();
        assertThat(listener.tokens("a")).containsExactly(16, 17, 18);
        assertThat(listener.lastEvent("a")).isEqualTo(new Finished("a", FinishReason.LENGTH, 0, 3));
    }

    @Test
    void endsWithAnEndTokenUnlessToldOtherwise() {
        lease.submit(generate("a", prompt(290, 6, VOCAB), SamplingParameters.greedy(9)));
        SamplingParameters on = new SamplingParameters(6, 0, 0, 1, 0, 1, 0, 0, Map.of(), Set.of(), 0, true, 0);
        lease.submit(generate("b", prompt(290, 6, VOCAB), on));
        SamplingParameters own = new SamplingParameters(6, 0, 0, 1, 0, 1, 0, 0, Map.of(), Set.of(297), 0, false, 0);
        lease.submit(generate("c", prompt(290, 6, VOCAB), own));
        run();
        assertThat(listener.tokens("a")).containsExactly(296, 297, 298, 299);
        assertThat(listener.lastEvent("a")).isEqualTo(new Finished("a", FinishReason.STOP_TOKEN, 0, 4));
        assertThat(listener.tokens("b")).containsExactly(296, 297, 298, 299, 0, 1);
        assertThat(listener.tokens("c")).containsExactly(296, 297);
    }

    @Test
    void choosesNoEndTokenBeforeMinTokens() {
        SamplingParameters sampling = new SamplingParameters(6, 0, 0, 1, 0, 1, 0, 0, Map.of(), Set.of(), 0, false, 4);
        lease.submit(generate("a", prompt(290, 8, VOCAB), sampling));
        run();
        // Where 299 is banned all others are equal, and the lowest wins.
        assertThat(listener.tokens("a")).containsExactly(298, 0, 1, 2, 3, 4);
    }

    @Test
    void endsByItsStopCondition() {
        AtomicInteger calls = new AtomicInteger();
        StopCondition condition = tokenId -> calls.incrementAndGet() > 0 && tokenId == 13;
        lease.submit(request("a", 10, new int[0], 9, condition));
        run();
        assertThat(listener.tokens("a")).containsExactly(11, 12, 13);
        assertThat(listener.lastEvent("a")).isEqualTo(new Finished("a", FinishReason.STOP_CONDITION, 0, 3));
        assertThat(calls).hasValue(3);
    }

    @Test
    void aFailingStopConditionFailsItsSequenceAlone() {
        lease.submit(request("a", 10, new int[0], 9, tokenId -> {
            throw new IllegalStateException("bad condition");
        }));
        lease.submit(request("b", 10, new int[0], 2, StopCondition.NEVER));
        run();
        assertThat(listener.lastEvent("a")).isInstanceOfSatisfying(Failed.class, failed -> {
            assertThat(failed.code()).isEqualTo(ErrorCode.INTERNAL);
            assertThat(failed.message()).contains("bad condition");
        });
        assertThat(listener.tokens("b")).containsExactly(11, 12);
    }

    @Test
    void resumesWhereItWas() {
        lease.submit(request("a", 10, new int[] {11, 12}, 5, StopCondition.NEVER));
        lease.submit(request("atEnd", 10, new int[] {11, 12}, 2, StopCondition.NEVER));
        lease.submit(request("stopped", 298, new int[] {END}, 9, StopCondition.NEVER));
        run();
        assertThat(listener.tokens("a")).containsExactly(13, 14, 15);
        assertThat(listener.events("a").get(0))
                .isInstanceOfSatisfying(
                        SequenceEvent.Token.class,
                        token -> assertThat(token.offset()).isEqualTo(2));
        assertThat(listener.events("atEnd")).containsExactly(new Finished("atEnd", FinishReason.LENGTH, 0, 2));
        assertThat(listener.events("stopped")).containsExactly(new Finished("stopped", FinishReason.STOP_TOKEN, 0, 1));
    }

    @Test
    void handsAPrefillOverToDecode() {
        lease.submit(prefill("p", prompt(0, 11, VOCAB)));
        run();
        assertThat(listener.events("p")).containsExactly(new Prefilled("p", 0, 8));
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
        assertThat(lease.cachedPrefixTokens(prompt(0, 11, VOCAB), "")).isEqualTo(8);
        assertThat(lease.cachedPrefixTokens(prompt(0, 11, VOCAB), "tenant")).isZero();

        lease.submit(generate("d", prompt(0, 11, VOCAB), SamplingParameters.greedy(2)));
        lease.submit(prefill("again", prompt(0, 11, VOCAB)));
        lease.submit(prefill("short", prompt(0, 4, VOCAB)));
        run();
        assertThat(listener.lastEvent("d")).isEqualTo(new Finished("d", FinishReason.LENGTH, 8, 2));
        assertThat(listener.events("again")).containsExactly(new Prefilled("again", 8, 0));
        assertThat(listener.events("short")).containsExactly(new Prefilled("short", 0, 0));
        assertThat(engine.stats().promptTokens()).isEqualTo(11);
    }

    @Test
    void theNextTurnFindsTheOutputToo() {
        lease.submit(generate("turn1", prompt(0, 6, VOCAB), SamplingParameters.greedy(7)));
        run();
        lease.submit(generate("turn2", prompt(0, 16, VOCAB), SamplingParameters.greedy(1)));
        run();
        assertThat(listener.lastEvent("turn2")).isEqualTo(new Finished("turn2", FinishReason.LENGTH, 12, 1));
    }

    @Test
    void refusesWhatCanNeverRun() {
        assertThat(lease.submit(generate("a", prompt(0, 48, VOCAB), SamplingParameters.greedy(1))))
                .isEqualTo(Admission.REJECTED_TOO_LONG);
        assertThat(lease.submit(generate("b", prompt(0, 47, VOCAB), SamplingParameters.greedy(99))))
                .isEqualTo(Admission.ACCEPTED);
        assertThat(lease.submit(generate("b", prompt(0, 4, VOCAB), SamplingParameters.greedy(1))))
                .isEqualTo(Admission.REJECTED_DUPLICATE);
        assertThatThrownBy(() -> lease.submit(generate("c", new int[] {VOCAB}, SamplingParameters.greedy(1))))
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
                .hasMessageContaining("token 300 of prompt");
        run();
        // It ends where the context does.
        assertThat(listener.lastEvent("b")).isEqualTo(new Finished("b", FinishReason.LENGTH, 0, 1));
        assertThat(lease.submit(generate("b", prompt(0, 4, VOCAB), SamplingParameters.greedy(1))))
                .isEqualTo(Admission.ACCEPTED);
    }

    @Test
    void refusesWhatTheQueueCannotHold() {
        for (int i = 0; i < 8; i++) {
            assertThat(lease.submit(request("q" + i, 10, new int[0], 1, StopCondition.NEVER)))
                    .isEqualTo(Admission.ACCEPTED);
        }
        SequenceRequest late = request("late", 10, new int[0], 1, StopCondition.NEVER);
        assertThat(lease.submit(late)).isEqualTo(Admission.REJECTED_QUEUE_FULL);
        lease.cancel("q7");
        engine.doWork();
        assertThat(listener.events("q7")).containsExactly(new Finished("q7", FinishReason.CANCELLED, 0, 0));
        assertThat(lease.submit(late)).isEqualTo(Admission.ACCEPTED);
    }

    @Test
    void cancelsInEveryState() {
        lease.submit(request("queued", 10, new int[0], 30, StopCondition.NEVER));
        lease.cancel("queued");
        lease.cancel("queued");
        lease.cancel("unknown");
        lease.submit(generate("prefilling", prompt(0, 40, VOCAB), SamplingParameters.greedy(1)));
        lease.submit(request("decoding", 10, new int[0], 30, StopCondition.NEVER));
        engine.doWork();
        engine.doWork();
        lease.cancel("prefilling");
        engine.doWork();
        engine.doWork();
        lease.cancel("decoding");
        engine.doWork();
        assertThat(listener.lastEvent("queued")).isEqualTo(new Finished("queued", FinishReason.CANCELLED, 0, 0));
        assertThat(listener.events("prefilling"))
                .containsExactly(new Finished("prefilling", FinishReason.CANCELLED, 0, 0));
        assertThat(listener.lastEvent("decoding"))
                .isInstanceOfSatisfying(
                        Finished.class,
                        finished -> assertThat(finished.reason()).isEqualTo(FinishReason.CANCELLED));
        assertThat(engine.doWork()).isZero();
    }

    @Test
    void aFailedBatchFailsItsSequencesAndNoOthers() {
        lease.submit(request("a", 10, new int[0], 3, StopCondition.NEVER));
        instance.observe(batch -> {
            throw new IllegalStateException("device lost");
        });
        engine.doWork();
        instance.observe(batch -> {});
        assertThat(listener.lastEvent("a"))
                .isEqualTo(new Failed(
                        "a", ErrorCode.INTERNAL, "the backend failed: java.lang.IllegalStateException: device lost"));
        lease.submit(request("b", 10, new int[0], 3, StopCondition.NEVER));
        run();
        assertThat(listener.tokens("b")).containsExactly(11, 12, 13);
    }

    @Test
    void aFailingListenerLosesItsLeaseAlone() {
        EngineLease broken = engine.lease(
                "broken",
                output -> {
                    throw new IllegalStateException("mailbox closed");
                },
                9);
        broken.submit(request("a", 10, new int[0], 30, StopCondition.NEVER));
        lease.submit(request("b", 10, new int[0], 3, StopCondition.NEVER));
        run();
        assertThat(listener.tokens("b")).containsExactly(11, 12, 13);
        assertThat(broken.submit(request("c", 10, new int[0], 1, StopCondition.NEVER)))
                .isEqualTo(Admission.REJECTED_CLOSED);
        assertThat(engine.stats().runningSequences()).isZero();
    }

    @Test
    void waitsForAcknowledgement() {
        TestingListener slowListener = new TestingListener();
        EngineLease slow = engine.lease("slow", slowListener, 2);
        slow.submit(request("s", 10, new int[0], 5, StopCondition.NEVER));
        lease.submit(request("f", 10, new int[0], 5, StopCondition.NEVER));
        run();
        assertThat(slowListener.tokens("s")).containsExactly(11, 12);
        assertThat(listener.tokens("f")).hasSize(5);
        slowListener.takeOutputs().forEach(slow::acknowledge);
        run();
        assertThat(slowListener.tokens("s")).containsExactly(11, 12, 13, 14);
        slow.close();
        run();
        assertThat(slowListener.tokens("s")).hasSize(4);
        assertThat(engine.stats().runningSequences()).isZero();
    }

    @Test
    void aStalledLeaseLosesItsBlocksToThoseWhoNeedThem() {
        TestingListener slowListener = new TestingListener();
        EngineLease slow = engine.lease("slow", slowListener, 1);
        slow.submit(generate("s", prompt(0, 40, VOCAB), SamplingParameters.greedy(4)));
        run();
        lease.submit(generate("f", prompt(100, 40, VOCAB), SamplingParameters.greedy(1)));
        run();
        assertThat(listener.events("f")).isEmpty();
        clock.addAndGet(EngineOptions.DEFAULT_STALL_TIMEOUT.toNanos());
        run();
        assertThat(listener.hasEnded("f")).isTrue();
        assertThat(engine.stats().preemptions()).isEqualTo(1);
        while (!slowListener.hasEnded("s")) {
            slowListener.takeOutputs().forEach(slow::acknowledge);
            run();
        }
        assertThat(slowListener.tokens("s")).containsExactly(40, 41, 42, 43);
    }

    @Test
    void badLogitsFailTheirSequenceAndAreNotCached() {
        TestingModelInstance poisoned = new TestingModelInstance(VOCAB, 16, BLOCK_SIZE, (tokens, count, target) -> {
            TestingLogits.counting().compute(tokens, count, target);
            target[7] = tokens[count - 1] == 50 ? Float.NaN : 0;
        });
        Engine other = new Engine(options(), poisoned, () -> {});
        EngineLease otherLease = other.lease("test", listener, 1000);
        otherLease.submit(generate("bad", prompt(40, 9, VOCAB), SamplingParameters.greedy(9)));
        otherLease.submit(generate("good", prompt(60, 9, VOCAB), SamplingParameters.greedy(2)));
        while (other.doWork() > 0) {
            other.checkIntegrity();
        }
        assertThat(listener.tokens("bad")).containsExactly(49, 50);
        assertThat(listener.lastEvent("bad")).isInstanceOf(Failed.class);
        assertThat(listener.tokens("good")).containsExactly(69, 70);
        assertThat(otherLease.cachedPrefixTokens(prompt(40, 9, VOCAB), "")).isZero();
        assertThat(otherLease.cachedPrefixTokens(prompt(60, 9, VOCAB), "")).isEqualTo(8);
        other.close();
    }

    @Test
    void moreImportantAndEarlierComeFirst() {
        lease.submit(arriving("early", 0, 0));
        lease.submit(arriving("late", 9_000_000_000L, 0));
        lease.submit(arriving("lateButImportant", 10_000_000_000L, 5));
        lease.submit(arriving("negative", 1_000_000_000L, -7));
        for (int i = 0; i < 4; i++) {
            engine.doWork();
        }
        List<String> order = listener.takeOutputs().stream()
                .flatMap(output -> output.events().stream())
                .filter(event -> event instanceof SequenceEvent.Token token && token.offset() == 0)
                .map(SequenceEvent::sequenceId)
                .toList();
        assertThat(order).containsExactly("early", "negative", "lateButImportant", "late");
    }

    @Test
    void closingFailsWhatIsLeft() {
        lease.submit(request("a", 10, new int[0], 30, StopCondition.NEVER));
        engine.doWork();
        lease.submit(request("b", 10, new int[0], 30, StopCondition.NEVER));
        engine.close();
        assertThat(listener.lastEvent("a")).isEqualTo(new Failed("a", ErrorCode.UNAVAILABLE, "the engine was closed"));
        assertThat(listener.lastEvent("b")).isEqualTo(new Failed("b", ErrorCode.UNAVAILABLE, "the engine was closed"));
        assertThat(lease.submit(request("c", 10, new int[0], 1, StopCondition.NEVER)))
                .isEqualTo(Admission.REJECTED_CLOSED);
        assertThatThrownBy(() -> engine.lease("late", listener, 1)).hasMessageContaining("closed");
    }

    private SequenceRequest arriving(String id, long arrivalNanos, int priority) {
        // One prompt fills the budget of a step, so that the order of admission shows.
        return new SequenceRequest(
                id,
                id,
                Purpose.GENERATE,
                prompt(id.length() * 7, 16, VOCAB),
                new int[0],
                SamplingParameters.greedy(1),
                "",
                priority,
                arrivalNanos,
                StopCondition.NEVER,
                null);
    }

    private static SequenceRequest request(
            String id, int token, int[] generated, int maxTokens, StopCondition condition) {
        return new SequenceRequest(
                id,
                id,
                Purpose.GENERATE,
                new int[] {token},
                generated,
                SamplingParameters.greedy(maxTokens),
                "",
                0,
                0,
                condition,
                null);
    }

    private void run() {
        for (int step = 0; engine.doWork() > 0; step++) {
            engine.checkIntegrity();
            assertThat(step).isLessThan(1000);
        }
    }
}
