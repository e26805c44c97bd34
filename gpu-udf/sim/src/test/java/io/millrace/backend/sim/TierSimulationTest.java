package io.millrace.backend.sim;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.EngineOptions;
import io.millrace.engine.testing.TestingReference;
import io.millrace.engine.testing.TierSimulation;
import io.millrace.engine.testing.TierSimulation.Counts;
import io.millrace.kv.LeastRecentlyUsedRetention;
import io.millrace.kv.NoRetention;
import io.millrace.kv.testing.Property;
import io.millrace.model.GgufModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever becomes of blocks, a simulated model's tokens are the same; and damage does not go unnoticed. */
class TierSimulationTest {
    private static final int MAX_MODEL_TOKENS = 72;
    private static final int MAX_BATCH_TOKENS = 80;

    @TempDir
    Path folder;

    @Test
    void anyInterleavingLeavesTheOutputsAlone() throws IOException {
        Counts[] counts = {new Counts(0, 0, 0, 0, 0, 0, 0)};
        try (GgufModel model = TestingModels.generate(folder);
                TestingReference reference = reference(model)) {
            Property.forAll(
                    300, 10, random -> counts[0] = counts[0].plus(simulate(random, model, reference, 150, false)));
        }
        assertThat(counts[0].turns()).isGreaterThan(150);
        assertThat(counts[0].loadedTokens()).isGreaterThan(300);
        assertThat(counts[0].evictedBlocks()).isGreaterThan(200);
    }

    @Test
    void garbageInTheTierIsNoticed() throws IOException {
        int noticed = 0;
        try (GgufModel model = TestingModels.generate(folder);
                TestingReference reference = reference(model)) {
            for (int seed = 0; seed < 6; seed++) {
                try {
                    simulate(new Random(seed), model, reference, 250, true);
                } catch (AssertionError e) {
                    noticed++;
                }
            }
        }
        assertThat(noticed).isPositive();
    }

    private static Counts simulate(
            Random random, GgufModel model, TestingReference reference, int steps, boolean garbles) {
        int blockSize = 4 << random.nextInt(2);
        int blocks = 1 + MAX_MODEL_TOKENS / blockSize * (3 + random.nextInt(3)) / 3;
        EngineOptions options = TierSimulation.options(MAX_MODEL_TOKENS)
                .withLimits(1 + random.nextInt(40), 1 + random.nextInt(6), 1 + random.nextInt(8))
                .withMaxLoads(1 + random.nextInt(4))
                .withRetention(random.nextInt(4) > 0 ? LeastRecentlyUsedRetention::new : NoRetention::new);
        return new TierSimulation(random, TestingModels.load(model, blocks, blockSize), options, reference, garbles)
                .run(steps);
    }

    private static TestingReference reference(GgufModel model) {
        return new TestingReference(
                TestingModels.load(model, MAX_MODEL_TOKENS / 4, 8), MAX_BATCH_TOKENS, MAX_MODEL_TOKENS);
    }
}
