package io.millrace.operators.prefill;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.operators.prefill.PassChoice.Work;
import org.junit.jupiter.api.Test;

class PassChoiceTest {
    private static final int MIN = 100;

    private final PassChoice shared = new PassChoice(MIN, false);
    private final PassChoice own = new PassChoice(MIN, true);

    @Test
    void littlePasses() {
        assertThat(shared.passes(new Work(100, 100, 0, 0))).isTrue();
        assertThat(shared.passes(new Work(101, 101, 0, 0))).isFalse();
        assertThat(own.passes(new Work(100, 100, 0, 0))).isTrue();
        assertThat(own.passes(new Work(101, 101, 0, 0))).isFalse();
    }

    @Test
    void whatPrefillWouldComputeTwiceIsLeftToDecode() {
        assertThat(shared.passes(new Work(1000, 500, 0, 0))).isTrue();
        assertThat(shared.passes(new Work(1000, 501, 0, 0))).isFalse();
        assertThat(own.passes(new Work(1000, 500, 0, 0))).isTrue();
        assertThat(own.passes(new Work(1000, 501, 0, 0))).isFalse();
    }

    @Test
    void oneEngineHasOneQueue() {
        assertThat(shared.passes(new Work(100, 100, 0, 1_000_000))).isTrue();
        assertThat(shared.passes(new Work(101, 101, 1_000_000, 0))).isFalse();
    }

    @Test
    void littleDoesNotPassWhileDecodesQueueIsTheLongerOne() {
        assertThat(own.passes(new Work(80, 80, 0, MIN))).isTrue();
        assertThat(own.passes(new Work(80, 80, 0, MIN + 1))).isFalse();
        assertThat(own.passes(new Work(80, 80, 1000, MIN + 1))).isTrue();
        assertThat(own.passes(new Work(80, 0, 0, 1_000_000))).isTrue();
    }

    @Test
    void moreThanLittlePassesWhilePrefillsQueueIsMuchLonger() {
        assertThat(own.passes(new Work(200, 200, 199, 0))).isFalse();
        assertThat(own.passes(new Work(200, 200, 200, 0))).isTrue();
        assertThat(own.passes(new Work(200, 200, 200, 1))).isFalse();
        int most = PassChoice.RELIEF_FACTOR * MIN;
        assertThat(own.passes(new Work(most, most, 1_000_000, 0))).isTrue();
        assertThat(own.passes(new Work(most + 1, most + 1, 1_000_000, 0))).isFalse();
    }

    @Test
    void whatWasLeftToDecodeIsDoneInTime() {
        PassedWork passed = new PassedWork();
        assertThat(passed.queuedTokens(0, 0, 100)).isZero();
        passed.add(0, 200, 0, 100);
        passed.add(1, 50, 0, 100);
        assertThat(passed.queuedTokens(0, 1_000_000_000L, 100)).isEqualTo(100);
        passed.add(0, 200, 1_000_000_000L, 100);
        assertThat(passed.queuedTokens(0, 2_000_000_000L, 100)).isEqualTo(200);
        assertThat(passed.queuedTokens(0, 9_000_000_000L, 100)).isZero();
        assertThat(passed.queuedTokens(1, 0, 100)).isEqualTo(50);
    }
}
