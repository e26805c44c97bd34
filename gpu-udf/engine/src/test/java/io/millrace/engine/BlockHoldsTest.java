package io.millrace.engine;

import static io.millrace.engine.testing.TestingRequests.generate;
import static io.millrace.engine.testing.TestingRequests.prompt;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.testing.TestingListener;
import io.millrace.engine.testing.TestingLogits;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.kv.BlockHash;
import io.millrace.kv.BlockHasher;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BlockHoldsTest {
    private static final int VOCAB = 300;
    private static final int BLOCK_SIZE = 4;
    private static final int BLOCKS = 16;

    private final Engine engine = new Engine(
            EngineOptions.of("testing", Set.of(), 64).withLimits(64, 4, 8),
            new TestingModelInstance(VOCAB, BLOCKS, BLOCK_SIZE, TestingLogits.counting()),
            () -> {});
    private final TestingListener listener = new TestingListener();
    private final EngineLease lease = engine.lease("test", listener, 1000);

    @AfterEach
    void nothingIsLeftBehind() {
        engine.checkIntegrity();
        engine.close();
        engine.checkIntegrity();
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
        assertThat(engine.stats().heldBlocks()).isZero();
    }

    @Test
    void givesTheBlocksThatAreThereInTheirOrder() {
        compute("a", "one", prompt(0, 13, VOCAB));
        compute("b", "two", prompt(0, 6, VOCAB));
        List<BlockHash> chain = chain(prompt(0, 20, VOCAB));
        HeldBlocks held = hold(List.of(chain.get(2), chain.get(4), chain.get(0)));

        assertThat(held.size()).isEqualTo(2);
        assertThat(held.hash(0)).isEqualTo(chain.get(2));
        assertThat(held.hash(1)).isEqualTo(chain.get(0));
        assertThat(held.isShared(0)).isFalse();
        assertThat(held.isShared(1)).isTrue();
        ByteBuffer target = ByteBuffer.allocate(engine.kvLayout().blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        held.read(0, target);
        assertThat(List.of(target.getInt(0), target.getInt(12), target.getInt(16), target.getInt(28)))
                .containsExactly(8, 11, 8, 11);
        assertThat(engine.stats().heldBlocks()).isEqualTo(2);
        held.close();
        held.close();
        assertThatThrownBy(() -> held.read(0, target.clear())).isInstanceOf(IllegalStateException.class);
        run();
        assertThat(engine.stats().heldBlocks()).isZero();
        assertThat(engine.stats().blocks().usedBlocks()).isZero();
    }

    @Test
    void heldBlocksAreNotReused() {
        compute("a", "one", prompt(0, 17, VOCAB));
        HeldBlocks held = hold(chain(prompt(0, 16, VOCAB)));
        assertThat(held.size()).isEqualTo(BLOCKS / 4);
        compute("b", "two", prompt(100, 40, VOCAB));
        assertThat(lease.cachedPrefixTokens(prompt(0, 17, VOCAB), "")).isEqualTo(16);
        // One that needs the held blocks waits for them.
        lease.submit(generate("c", prompt(200, 60, VOCAB), SamplingParameters.greedy(1)));
        run();
        assertThat(listener.events("c")).isEmpty();
        held.close();
        run();
        assertThat(listener.tokens("c")).containsExactly(260);
    }

    @Test
    void atMostAQuarterIsHeldAtATime() {
        compute("a", "one", prompt(0, 25, VOCAB));
        List<BlockHash> chain = chain(prompt(0, 24, VOCAB));
        HeldBlocks first = hold(chain.subList(0, 3));
        HeldBlocks second = hold(chain.subList(3, 6));
        assertThat(first.size()).isEqualTo(3);
        assertThat(second.size()).isEqualTo(1);
        assertThat(hold(chain).size()).isZero();
        first.close();
        run();
        assertThat(hold(chain).size()).isEqualTo(3);
    }

    @Test
    void holdsEndWithTheirLease() {
        compute("a", "one", prompt(0, 13, VOCAB));
        HeldBlocks held = hold(chain(prompt(0, 12, VOCAB)));
        List<HeldBlocks> late = new ArrayList<>();
        lease.hold(chain(prompt(0, 12, VOCAB)), late::add);
        lease.close();
        run();
        assertThat(late).hasSize(1);
        assertThat(late.get(0).size()).isZero();
        assertThat(engine.stats().heldBlocks()).isZero();
        assertThatThrownBy(() -> held.read(0, ByteBuffer.allocate(32))).isInstanceOf(IllegalStateException.class);
        held.close();
        run();
        lease.hold(chain(prompt(0, 12, VOCAB)), late::add);
        assertThat(late).hasSize(2);
        assertThat(late.get(1).size()).isZero();
    }

    @Test
    void holdsEndWithTheEngine() {
        compute("a", "one", prompt(0, 13, VOCAB));
        HeldBlocks held = hold(chain(prompt(0, 12, VOCAB)));
        List<HeldBlocks> late = new ArrayList<>();
        lease.hold(chain(prompt(0, 12, VOCAB)), late::add);
        engine.close();
        lease.hold(chain(prompt(0, 12, VOCAB)), late::add);
        assertThat(late).hasSize(2).allSatisfy(empty -> assertThat(empty.size()).isZero());
        assertThatThrownBy(() -> held.read(0, ByteBuffer.allocate(32))).isInstanceOf(IllegalStateException.class);
        held.close();
    }

    @Test
    void whoDoesNotTakeItsBlocksLosesThem() {
        compute("a", "one", prompt(0, 13, VOCAB));
        lease.hold(chain(prompt(0, 12, VOCAB)), held -> {
            assertThat(held.size()).isEqualTo(3);
            throw new IllegalStateException("the queue is full");
        });
        run();
        assertThat(engine.stats().heldBlocks()).isZero();
    }

    private void compute(String id, String session, int[] prompt) {
        lease.submit(generate(id, session, prompt, SamplingParameters.greedy(1), null));
        run();
        assertThat(listener.hasEnded(id)).isTrue();
    }

    private HeldBlocks hold(List<BlockHash> hashes) {
        List<HeldBlocks> received = new ArrayList<>();
        lease.hold(hashes, received::add);
        run();
        assertThat(received).hasSize(1);
        return received.get(0);
    }

    private static List<BlockHash> chain(int[] tokens) {
        BlockHasher hasher = new BlockHasher(BLOCK_SIZE);
        List<BlockHash> chain = new ArrayList<>();
        BlockHash hash = hasher.root("testing", "");
        for (int from = 0; from + BLOCK_SIZE <= tokens.length; from += BLOCK_SIZE) {
            hash = hasher.child(hash, tokens, from);
            chain.add(hash);
        }
        return chain;
    }

    private void run() {
        for (int step = 0; engine.doWork() > 0; step++) {
            engine.checkIntegrity();
            assertThat(step).isLessThan(1000);
        }
    }
}
