package io.millrace.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.testing.TestingLogits;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.engine.testing.TestingReference;
import io.millrace.engine.testing.TierSimulation;
import io.millrace.engine.testing.TierSimulation.Counts;
import io.millrace.kv.LeastRecentlyUsedRetention;
import io.millrace.kv.NoRetention;
import io.millrace.kv.testing.Property;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whatever becomes of blocks, the tokens are the same: with a model that notices every wrong block. */
class TierSimulationTest {
    private static final int VOCAB = 60;

    @Test
    void anyInterleavingLeavesTheOutputsAlone() {
        Counts[] counts = {new Counts(0, 0, 0, 0, 0, 0, 0)};
        Property.forAll(4000, 250, random -> counts[0] = counts[0].plus(simulate(random, false)));

        // What it is meant to exercise did happen, and often.
        assertThat(counts[0].turns()).isGreaterThan(8000);
        assertThat(counts[0].cancelled()).isGreaterThan(2000);
        assertThat(counts[0].lostLeases()).isGreaterThan(800);
        assertThat(counts[0].loadedTokens()).isGreaterThan(5000);
        assertThat(counts[0].earlyEnds()).isGreaterThan(300);
        assertThat(counts[0].preemptions()).isGreaterThan(1000);
        assertThat(counts[0].evictedBlocks()).isGreaterThan(30_000);
    }

    @Test
    void garbageInTheTierWouldBeNoticed() {
        int noticed = 0;
        for (int seed = 0; seed < 20; seed++) {
            try {
                simulate(new Random(seed), true);
            } catch (AssertionError e) {
                noticed++;
            }
        }
        assertThat(noticed).isGreaterThan(10);
    }

    private static Counts simulate(Random random, boolean garbles) {
        int blockSize = 1 + random.nextInt(6);
        int maxModelTokens = 8 + random.nextInt(60);
        int blocks = 1 + maxModelTokens / blockSize * (2 + random.nextInt(5)) / 3;
        EngineOptions options = TierSimulation.options(maxModelTokens)
                .withLimits(1 + random.nextInt(40), 1 + random.nextInt(6), 1 + random.nextInt(8))
                .withMaxLoads(1 + random.nextInt(4))
                .withRetention(random.nextInt(4) > 0 ? LeastRecentlyUsedRetention::new : NoRetention::new);
        try (TestingReference reference = new TestingReference(instance(80, 1), 80, maxModelTokens)) {
            return new TierSimulation(random, instance(blocks, blockSize), options, reference, garbles).run(200);
        }
    }

    private static TestingModelInstance instance(int blocks, int blockSize) {
        return new TestingModelInstance(VOCAB, blocks, blockSize, TestingLogits.HASHED);
    }
}
