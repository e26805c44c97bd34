package io.millrace.engine;

import static io.millrace.engine.testing.TestingRequests.generate;
import static io.millrace.engine.testing.TestingRequests.prompt;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.SequenceEvent.FinishReason;
import io.millrace.engine.SequenceEvent.Finished;
import io.millrace.engine.SequenceEvent.Prefilled;
import io.millrace.engine.SequenceRequest.Purpose;
import io.millrace.engine.testing.TestingListener;
import io.millrace.engine.testing.TestingLogits;
import io.millrace.engine.testing.TestingModelInstance;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PrefixLoadsTest {
    private static final int VOCAB = 300;
    private static final int BLOCK_SIZE = 4;
    private static final int BLOCKS = 16;
    private static final int[] PROMPT = prompt(0, 18, VOCAB);

    private final AtomicLong clock = new AtomicLong();
    private final TestingModelInstance instance =
            new TestingModelInstance(VOCAB, BLOCKS, BLOCK_SIZE, TestingLogits.counting());
    private final TestingListener listener = new TestingListener();
    private final TestingSource source = new TestingSource(4);
    private Engine engine = engine(EngineOptions.DEFAULT_MAX_LOADS);
    private EngineLease lease = engine.lease("test", listener, 1000);
    private int computedTokens;

    private Engine engine(int maxLoads) {
        instance.observe(batch -> computedTokens += batch.tokenCount);
        EngineOptions options = EngineOptions.of("testing", Set.of(), 64)
                .withLimits(64, 8, 16)
                .withMaxLoads(maxLoads)
                .withClock(() -> clock.addAndGet(1000));
        return new Engine(options, instance, () -> {});
    }

    @AfterEach
    void nothingIsLeftBehind() {
        engine.checkIntegrity();
        engine.close();
        engine.checkIntegrity();
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
    }

    @Test
    void whatIsLoadedIsNotComputed() {
        submit("a", source);
        run();
        assertThat(listener.events("a")).isEmpty();
        assertThat(source.asked).containsExactly("0..4");
        assertThat(engine.stats().runningSequences()).isEqualTo(1);
        assertThat(engine.stats().queuedPromptTokens()).isEqualTo(2);
        source.loadAll(4);
        run();
        assertThat(listener.tokens("a")).containsExactly(18, 19);
        assertThat(listener.lastEvent("a")).isEqualTo(new Finished("a", FinishReason.LENGTH, 16, 2));
        assertThat(computedTokens).isEqualTo(3);
        assertThat(engine.stats().loadedTokens()).isEqualTo(16);
        assertThat(engine.stats().cachedTokens()).isEqualTo(16);

        // It is in the prefix cache now: the source is not asked again, except for what is missing.
        submit("b", source);
        run();
        assertThat(listener.tokens("b")).containsExactly(18, 19);
        assertThat(source.asked).hasSize(1);
    }

    @Test
    void theDevicesOwnBlocksComeFirst() {
        lease.submit(generate("a", prompt(0, 9, VOCAB), SamplingParameters.greedy(1)));
        run();
        submit("b", source);
        run();
        assertThat(source.asked).containsExactly("2..4");
        source.loadAll(2);
        run();
        assertThat(listener.lastEvent("b")).isEqualTo(new Finished("b", FinishReason.LENGTH, 16, 2));
        assertThat(engine.stats().loadedTokens()).isEqualTo(8);
    }

    @Test
    void whatIsNotLoadedIsComputed() {
        submit("a", source);
        run();
        source.write(0, 0);
        source.write(0, 1);
        source.targets.get(0).done(1);
        source.targets.get(0).done(2);
        assertThatThrownBy(() -> source.write(0, 2)).isInstanceOf(IllegalStateException.class);
        run();
        assertThat(listener.lastEvent("a")).isEqualTo(new Finished("a", FinishReason.LENGTH, 4, 2));
        assertThat(listener.tokens("a")).containsExactly(18, 19);
    }

    @Test
    void whatWasNeverWrittenIsNotBelieved() {
        submit("a", source);
        run();
        source.write(0, 1);
        source.targets.get(0).done(4);
        run();
        assertThat(listener.tokens("a")).containsExactly(18, 19);
        assertThat(engine.stats().loadedTokens()).isZero();
    }

    @Test
    void garbageIsNoticedByTheTestingModel() {
        submit("a", source);
        run();
        for (int i = 0; i < 4; i++) {
            source.targets.get(0).write(i, ByteBuffer.allocate(engine.kvLayout().blockBytes()));
        }
        source.targets.get(0).done(4);
        run();
        assertThat(listener.lastEvent("a")).isInstanceOf(SequenceEvent.Failed.class);
    }

    @Test
    void aSourceThatFailsIsAMiss() {
        submit("a", new PrefixSource() {
            @Override
            public int blocksToLoad(int firstBlock, int endBlock) {
                throw new IllegalStateException("no idea");
            }

            @Override
            public void load(int firstBlock, LoadTarget target) {
                throw new AssertionError("nothing was promised");
            }
        });
        List<LoadTarget> targets = new ArrayList<>();
        submit("b", new PrefixSource() {
            @Override
            public int blocksToLoad(int firstBlock, int endBlock) {
                return 99;
            }

            @Override
            public void load(int firstBlock, LoadTarget target) {
                targets.add(target);
                throw new IllegalStateException("no thread");
            }
        });
        run();
        assertThat(listener.tokens("a")).containsExactly(18, 19);
        assertThat(listener.tokens("b")).containsExactly(18, 19);
        assertThat(targets)
                .allSatisfy(target -> assertThatThrownBy(() -> target.write(0, content(0)))
                        .isInstanceOf(IllegalStateException.class));
    }

    @Test
    void aPrefillThatIsLoadedWholeIsDone() {
        lease.submit(new SequenceRequest(
                "a",
                "a",
                Purpose.PREFILL,
                PROMPT,
                new int[0],
                SamplingParameters.greedy(1),
                "",
                0,
                0,
                StopCondition.NEVER,
                source));
        run();
        source.loadAll(4);
        run();
        assertThat(listener.lastEvent("a")).isEqualTo(new Prefilled("a", 16, 0));
        assertThat(computedTokens).isZero();
    }

    @Test
    void othersWaitForTheSameBlocksAndShareThem() {
        submit("a", source);
        submit("b", source);
        submit("c", null);
        lease.submit(generate("d", prompt(100, 5, VOCAB), SamplingParameters.greedy(1)));
        run();
        assertThat(listener.hasEnded("d")).isTrue();
        assertThat(source.targets).hasSize(1);
        source.loadAll(4);
        run();
        for (String id : List.of("a", "b", "c")) {
            assertThat(listener.lastEvent(id)).isEqualTo(new Finished(id, FinishReason.LENGTH, 16, 2));
        }
        assertThat(engine.stats().loadedTokens()).isEqualTo(16);
    }

    @Test
    void blocksOfACancelledSequenceStayWithItsLoad() {
        submit("a", source);
        run();
        lease.cancel("a");
        submit("b", null);
        run();
        assertThat(listener.lastEvent("a")).isEqualTo(new Finished("a", FinishReason.CANCELLED, 0, 0));
        assertThat(source.targets.get(0).isWanted()).isFalse();
        assertThat(engine.stats().runningSequences()).isZero();
        assertThat(engine.stats().blocks().usedBlocks()).isEqualTo(4);
        // Nobody waits for what will not be published.
        assertThat(listener.tokens("b")).containsExactly(18, 19);
        source.loadAll(4);
        run();
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
        assertThat(engine.stats().loadedTokens()).isZero();
    }

    @Test
    void loadsEndWithTheirLease() {
        submit("a", source);
        run();
        source.write(0, 0);
        lease.close();
        run();
        assertThat(source.targets.get(0).isWanted()).isFalse();
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
        assertThatThrownBy(() -> source.write(0, 1)).isInstanceOf(IllegalStateException.class);
        source.targets.get(0).done(1);
        run();
        assertThat(engine.stats().blocks().findableBlocks()).isZero();
    }

    @Test
    void aClosedEngineTakesNothingMore() {
        submit("a", source);
        run();
        source.write(0, 0);
        engine.close();
        assertThat(listener.lastEvent("a")).isInstanceOf(SequenceEvent.Failed.class);
        assertThat(source.targets.get(0).isWanted()).isFalse();
        assertThatThrownBy(() -> source.write(0, 1)).isInstanceOf(IllegalStateException.class);
        source.targets.get(0).done(1);
    }

    @Test
    void onlySoManyLoadAtATime() {
        engine.close();
        TestingModelInstance other = new TestingModelInstance(VOCAB, 64, BLOCK_SIZE, TestingLogits.counting());
        engine = new Engine(
                EngineOptions.of("testing", Set.of(), 64).withLimits(64, 8, 16).withMaxLoads(2), other, () -> {});
        lease = engine.lease("test", listener, 1000);
        List<TestingSource> sources = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            sources.add(new TestingSource(2));
            lease.submit(
                    generate("s" + i, "s", prompt(40 * i, 10, VOCAB), SamplingParameters.greedy(1), sources.get(i)));
        }
        lease.submit(generate("plain", prompt(200, 10, VOCAB), SamplingParameters.greedy(1)));
        run();
        assertThat(listener.hasEnded("plain")).isTrue();
        assertThat(sources).extracting(each -> each.targets.size()).containsExactly(1, 1, 0, 0);
        sources.get(1).targets.get(0).done(0);
        run();
        assertThat(listener.tokens("s1")).containsExactly(50);
        assertThat(sources).extracting(each -> each.targets.size()).containsExactly(1, 1, 1, 0);
        sources.get(0).targets.get(0).done(0);
        sources.get(2).targets.get(0).done(0);
        run();
        sources.get(3).targets.get(0).done(0);
        run();
        assertThat(listener.tokens("s3")).containsExactly(130);
    }

    @Test
    void aLoadingSequenceKeepsItsBlocks() {
        // The first sequence grows until it needs the blocks of the second, which loads and cannot give them.
        lease.submit(generate("a", prompt(100, 20, VOCAB), SamplingParameters.greedy(44)));
        run(3);
        submit("b", source);
        run();
        assertThat(listener.hasEnded("a")).isFalse();
        assertThat(listener.tokens("a")).hasSizeGreaterThan(20);
        assertThat(engine.stats().preemptions()).isZero();
        assertThat(source.targets.get(0).isWanted()).isTrue();

        source.loadAll(4);
        run();
        assertThat(engine.stats().preemptions()).isEqualTo(1);
        assertThat(listener.tokens("a")).hasSize(44);
        assertThat(source.asked).hasSize(2);
        assertThat(listener.events("b")).isEmpty();
        source.loadAll(source.targets.get(1).blockCount());
        run();
        // What it loaded after it lost its blocks does not count as cached once more.
        assertThat(listener.lastEvent("b")).isEqualTo(new Finished("b", FinishReason.LENGTH, 16, 2));
    }

    @Test
    void theOnlyRowIsNotKeptForAPrefillWithoutBlocks() {
        engine.close();
        TestingModelInstance other = new TestingModelInstance(VOCAB, BLOCKS, BLOCK_SIZE, TestingLogits.counting());
        engine = new Engine(EngineOptions.of("testing", Set.of(), 64).withLimits(64, 1, 16), other, () -> {});
        lease = engine.lease("test", listener, 1000);
        submit("b", source);
        run();
        // More important, so it comes first in the order.
        lease.submit(new SequenceRequest(
                "a",
                "a",
                Purpose.GENERATE,
                prompt(100, 20, VOCAB),
                new int[0],
                SamplingParameters.greedy(44),
                "",
                5,
                0,
                StopCondition.NEVER,
                null));
        run();
        assertThat(listener.hasEnded("a")).isFalse();
        // Now the second takes all blocks that are free, and needs one more.
        source.targets.get(0).done(0);
        run();
        assertThat(listener.tokens("a")).hasSize(44);
        source.targets.get(1).done(0);
        run();
        assertThat(listener.tokens("b")).containsExactly(18, 19);
    }

    @Test
    void saysHowFastPromptsAreComputedAndHowManyWait() {
        assertThat(engine.stats().promptTokensPerSecond()).isZero();
        lease.submit(generate("a", prompt(0, 40, VOCAB), SamplingParameters.greedy(1)));
        lease.submit(generate("b", prompt(50, 40, VOCAB), SamplingParameters.greedy(1)));
        engine.doWork();
        assertThat(engine.stats().queuedPromptTokens()).isEqualTo(40);
        // Some microseconds a step by the clock of this test.
        assertThat(engine.stats().promptTokensPerSecond()).isBetween(1e6, 40e6);
        run();
        assertThat(engine.stats().queuedPromptTokens()).isZero();
    }

    private void submit(String id, @Nullable PrefixSource prefixSource) {
        assertThat(lease.submit(generate(id, id, PROMPT, SamplingParameters.greedy(2), prefixSource)))
                .isEqualTo(Admission.ACCEPTED);
    }

    private void run() {
        for (int step = 0; engine.doWork() > 0; step++) {
            engine.checkIntegrity();
            assertThat(step).isLessThan(1000);
        }
    }

    private void run(int steps) {
        for (int i = 0; i < steps; i++) {
            engine.doWork();
            engine.checkIntegrity();
        }
    }

    /** A block of a prompt that counts up from 0, as the testing model has it. */
    private static ByteBuffer content(int block) {
        ByteBuffer content = ByteBuffer.allocate(2 * BLOCK_SIZE * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 2 * BLOCK_SIZE; i++) {
            content.putInt(block * BLOCK_SIZE + i % BLOCK_SIZE);
        }
        return content.flip();
    }

    /** Promises what it is told to, and leaves it to the test to keep the promise. */
    private static final class TestingSource implements PrefixSource {
        final int blockCount;
        final List<String> asked = new ArrayList<>();
        final List<LoadTarget> targets = new ArrayList<>();
        final List<Integer> firstBlocks = new ArrayList<>();

        TestingSource(int blockCount) {
            this.blockCount = blockCount;
        }

        @Override
        public int blocksToLoad(int firstBlock, int endBlock) {
            asked.add(firstBlock + ".." + endBlock);
            return Math.max(0, Math.min(blockCount, endBlock) - firstBlock);
        }

        @Override
        public void load(int firstBlock, LoadTarget target) {
            firstBlocks.add(firstBlock);
            targets.add(target);
        }

        void write(int load, int index) {
            targets.get(load).write(index, content(firstBlocks.get(load) + index));
        }

        void loadAll(int expectedBlocks) {
            LoadTarget target = targets.get(targets.size() - 1);
            assertThat(target.blockCount()).isEqualTo(expectedBlocks);
            for (int i = 0; i < expectedBlocks; i++) {
                write(targets.size() - 1, i);
            }
            target.done(expectedBlocks);
        }
    }
}
