package io.millrace.durability;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.durability.DisturbedRun.Result;
import io.millrace.durability.DisturbedRun.Setting;
import io.millrace.durability.Faults.Fault;
import io.millrace.model.GeneratedModel;
import io.millrace.reference.DemoModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A hundred turns, undisturbed and with failures injected at random records, mails, checkpoints and restores: every
 * turn says the same, and what is said again is the same.
 *
 * <p>{@code -Dmillrace.durability.seeds=500 -Dmillrace.durability.demo-seeds=20} is the whole of it; {@code
 * -Dmillrace.durability.first-seed=N} begins elsewhere.
 */
class ReplayUnderFailuresITCase {
    private static final int SEEDS = Integer.getInteger("millrace.durability.seeds", 40);
    private static final int DEMO_SEEDS = Integer.getInteger("millrace.durability.demo-seeds", 1);
    private static final long FIRST_SEED = Long.getLong("millrace.durability.first-seed", 1);

    @TempDir
    static Path folder;

    private static Path smallModel;
    private static DurableCluster cluster;

    @BeforeAll
    static void start() throws Exception {
        smallModel = folder.resolve("generated.gguf");
        GeneratedModel.write(smallModel, GeneratedModel.Options.tiny("llama", 1));
        cluster = new DurableCluster(MemorySize.ofMebiBytes(96), new Configuration(), 2);
    }

    @AfterAll
    static void stop() throws Exception {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void smallModelSaysTheSame() throws Exception {
        check(smallRuns(), SEEDS);
    }

    @Test
    void demoModelSaysTheSame() throws Exception {
        DisturbedRun.Sizes sizes = new DisturbedRun.Sizes(DemoModel.require(), 32, 1_474_560, 200, 48, 2, 8, 600);
        check(new DisturbedRun(cluster, AgentScript.DEMO, sizes, folder), DEMO_SEEDS);
    }

    /** A harness that cannot fail shows nothing. */
    @ParameterizedTest
    @EnumSource(MutantModel.Defect.class)
    void wrongModelIsFoundOut(MutantModel.Defect defect) throws Exception {
        DisturbedRun runs = smallRuns();
        Result expected = runs.run(Disturbance.none());
        // Failing as soon as there is a checkpoint leaves turns to resume.
        Disturbance often = Disturbance.none()
                .withTiers(Disturbance.Tiers.ALL)
                .withFaults(Stream.of(3, 2, 2, 2)
                        .map(pass -> new Fault(FaultPoint.CHECKPOINT_COMPLETE, pass))
                        .toList());
        Result right = runs.run(often);
        assertThat(right.book().differences(expected.book())).isEmpty();
        long mutationsBefore = MutantModel.mutationCount();
        Result wrong = runs.run(often, Setting.PLAIN.withModel(model -> new MutantModel(model, defect)));
        assertThat(MutantModel.mutationCount()).isGreaterThan(mutationsBefore);
        assertThat(wrong.injected()).isNotEmpty();
        assertThat(wrong.book().differences(expected.book())).isNotEmpty();
    }

    private static DisturbedRun smallRuns() {
        return new DisturbedRun(cluster, AgentScript.SMALL, DisturbedRun.Sizes.small(smallModel), folder);
    }

    private static void check(DisturbedRun runs, int seeds) throws Exception {
        Result expected = runs.run(Disturbance.none());
        assertThat(expected.book().differences(expected.book())).isEmpty();
        assertThat(expected.book().endings()).containsKeys("LENGTH", "STOP").hasSize(2);
        System.out.printf(
                "undisturbed: %.1f s, %s tokens, %s, %s%n",
                expected.seconds(),
                expected.book().tokenCount(),
                expected.book().endings(),
                expected.passes());
        List<String> failures = new ArrayList<>();
        int injected = 0;
        long repeated = 0;
        for (long seed = FIRST_SEED; seed < FIRST_SEED + seeds; seed++) {
            Disturbance disturbance =
                    Disturbance.of(seed, expected.passes(), expected.book().tokenCount());
            try {
                Result result = runs.run(disturbance);
                System.out.println(disturbance + ": " + result);
                injected += result.injected().isEmpty() ? 0 : 1;
                repeated += result.book().repeatedCount();
                List<String> differences = result.book().differences(expected.book());
                if (!differences.isEmpty()) {
                    failures.add(disturbance + ": " + differences);
                }
            } catch (Exception | AssertionError e) {
                e.printStackTrace(System.out);
                failures.add(disturbance + ": " + e);
            }
        }
        System.out.printf("%s of %s runs failed on the way; %s chunks came again%n", injected, seeds, repeated);
        assertThat(failures).isEmpty();
        // Otherwise the runs were not what they are meant to be.
        assertThat(injected).isGreaterThanOrEqualTo(seeds / 2);
    }
}
