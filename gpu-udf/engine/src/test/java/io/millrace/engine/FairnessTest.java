package io.millrace.engine;

import static io.millrace.engine.testing.TestingRequests.generate;
import static io.millrace.engine.testing.TestingRequests.prompt;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.SequenceRequest.Purpose;
import io.millrace.engine.testing.TestingListener;
import io.millrace.engine.testing.TestingLogits;
import io.millrace.engine.testing.TestingModelInstance;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whoever keeps on asking never keeps others from being served. */
class FairnessTest {
    private static final int VOCAB = 1000;
    private static final int BLOCK_SIZE = 4;

    private final AtomicLong clock = new AtomicLong();
    private final TestingModelInstance instance =
            new TestingModelInstance(VOCAB, 40, BLOCK_SIZE, TestingLogits.counting());
    private final Engine engine = new Engine(
            EngineOptions.of("testing", Set.of(), 160).withLimits(16, 4, 64).withClock(clock::get), instance, () -> {});
    private final TestingListener listener = new TestingListener();
    private final EngineLease lease = engine.lease("test", listener, Integer.MAX_VALUE);

    @AfterEach
    void close() {
        engine.checkIntegrity();
        engine.close();
        engine.checkIntegrity();
    }

    @Test
    void decodesGetATokenEveryStepWhilePrefillsKeepComing() {
        lease.submit(generate("decode", prompt(0, 4, VOCAB), SamplingParameters.greedy(60)));
        engine.doWork();
        for (int step = 1; step < 60; step++) {
            submit("prefill" + step, Purpose.PREFILL, 37 * step, 30, 0);
            engine.doWork();
            assertThat(listener.tokens("decode")).hasSize(step + 1);
        }
    }

    @Test
    void prefillsGetOnWhileDecodesKeepComing() {
        // Decodes that fill every row and are replaced as they end.
        for (int step = 0; step < 200; step++) {
            submit("decode" + step, Purpose.GENERATE, 37 * step, 3, 0);
            if (step == 20) {
                submit("prompt", Purpose.GENERATE, 500, 100, 0);
            }
            clock.addAndGet(10_000_000);
            engine.doWork();
            engine.checkIntegrity();
        }
        assertThat(listener.hasEnded("prompt")).isTrue();
    }

    @Test
    void aPrefillGetsOnBesideDecodesThatWereHeldBackWhenItBegan() {
        TestingListener slowListener = new TestingListener();
        EngineLease slow = engine.lease("slow", slowListener, 1);
        for (int i = 0; i < 4; i++) {
            slow.submit(generate("decode" + i, prompt(200 * i, 3, VOCAB), SamplingParameters.greedy(20)));
        }
        engine.doWork();
        submit("prompt", Purpose.GENERATE, 900, 50, 0);
        engine.doWork();
        // The prompt runs, and from now on there are more decodes than rows.
        for (int step = 0; step < 10; step++) {
            slowListener.takeOutputs().forEach(slow::acknowledge);
            engine.doWork();
        }
        assertThat(listener.tokens("prompt")).isNotEmpty();
        assertThat(slowListener.hasEnded("decode0")).isFalse();
    }

    @Test
    void aLongPromptIsNotOvertakenForEverByShortOnes() {
        // The pool is nearly full, and short prompts would always find room where the long one does not.
        for (int i = 0; i < 3; i++) {
            submit("old" + i, Purpose.GENERATE, 100 * i, 40, 0);
        }
        engine.doWork();
        clock.addAndGet(1);
        submit("long", Purpose.GENERATE, 700, 150, 0);
        for (int step = 0; step < 150; step++) {
            clock.addAndGet(1_000_000);
            submit("short" + step, Purpose.GENERATE, 31 * step, 2, 0);
            engine.doWork();
            engine.checkIntegrity();
        }
        assertThat(listener.hasEnded("long")).isTrue();
    }

    @Test
    void importantOnesPassOthersOnlyByTheirSeconds() {
        submit("plain", Purpose.GENERATE, 700, 150, 0);
        for (int step = 0; step < 150; step++) {
            // Each second several that are worth three seconds.
            clock.addAndGet(200_000_000);
            submit("important" + step, Purpose.GENERATE, 31 * step, 30, 3);
            engine.doWork();
            engine.checkIntegrity();
        }
        assertThat(listener.hasEnded("plain")).isTrue();
    }

    @Test
    void whenBlocksRunOutTheLastGiveWayAndAllEnd() {
        for (int i = 0; i < 4; i++) {
            clock.addAndGet(1);
            lease.submit(new SequenceRequest(
                    "s" + i,
                    "s" + i,
                    Purpose.GENERATE,
                    prompt(200 * i, 20, VOCAB),
                    new int[0],
                    SamplingParameters.greedy(60),
                    "",
                    0,
                    clock.get(),
                    StopCondition.NEVER,
                    null));
        }
        int firstEnd = 0;
        for (int step = 1; engine.doWork() > 0; step++) {
            engine.checkIntegrity();
            firstEnd = firstEnd == 0 && listener.hasEnded("s0") ? step : firstEnd;
        }
        assertThat(engine.stats().preemptions()).isPositive();
        // The first never waited: its prompt took two steps at most, and each token one.
        assertThat(firstEnd).isLessThanOrEqualTo(62);
        for (int i = 0; i < 4; i++) {
            assertThat(listener.tokens("s" + i))
                    .hasSize(60)
                    .startsWith(200 * i + 20)
                    .endsWith((200 * i + 79) % VOCAB);
        }
    }

    @Test
    void equalPromptsAreComputedOnce() {
        for (int i = 0; i < 4; i++) {
            submit("same" + i, Purpose.GENERATE, 300, 101, 0);
        }
        while (engine.doWork() > 0) {
            engine.checkIntegrity();
        }
        // 100 tokens once, and the last token, which is always computed, four times.
        assertThat(engine.stats().promptTokens()).isEqualTo(104);
        assertThat(engine.stats().cachedTokens()).isEqualTo(300);
    }

    private void submit(String id, Purpose purpose, int from, int length, int priority) {
        Admission admission = lease.submit(new SequenceRequest(
                id,
                id,
                purpose,
                prompt(from, length, VOCAB),
                new int[0],
                SamplingParameters.greedy(4),
                "",
                priority,
                clock.get(),
                StopCondition.NEVER,
                null));
        assertThat(admission).isIn(Admission.ACCEPTED, Admission.REJECTED_QUEUE_FULL);
    }
}
