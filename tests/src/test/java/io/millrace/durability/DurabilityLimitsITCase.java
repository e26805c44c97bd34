package io.millrace.durability;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.durability.Disturbance.Phase;
import io.millrace.durability.Disturbance.Tiers;
import io.millrace.durability.DisturbedRun.Result;
import io.millrace.durability.DisturbedRun.Setting;
import io.millrace.model.GeneratedModel;
import io.millrace.operators.tiers.LoadPolicy;
import io.millrace.operators.tiers.TierMetrics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.core.execution.SavepointFormatType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is full, missing or broken below the device costs speed or durability: no turn is lost, and none differs. */
class DurabilityLimitsITCase {
    private static final MemorySize MANAGED = MemorySize.ofMebiBytes(96);

    @TempDir
    static Path folder;

    private static Path model;
    private static TurnBook expected;

    @BeforeAll
    static void undisturbed() throws Exception {
        model = folder.resolve("generated.gguf");
        GeneratedModel.write(model, GeneratedModel.Options.tiny("llama", 1));
        try (DurableCluster cluster = new DurableCluster(MANAGED, new Configuration())) {
            expected = runs(cluster).run(Disturbance.none()).book();
        }
    }

    @Test
    void hostIsFull() throws Exception {
        TierGauges gauges = new TierGauges();
        try (DurableCluster cluster = new DurableCluster(MANAGED, gauges.configuration())) {
            int hostBlocks = 10;
            Tiers tiers = new Tiers(hostBlocks, 0, 2, LoadPolicy.ALWAYS, 0, false, false);
            Result result = runs(cluster).run(Disturbance.none().withTiers(tiers));
            report("HOST full", result, gauges);
            assertSame(result);
            // A slot is a little larger than a value.
            assertThat(gauges.sum(TierMetrics.HOST_CAPACITY)).isBetween(hostBlocks - 1L, (long) hostBlocks);
            assertThat(gauges.sum(TierMetrics.DEMOTED_TO_HOST)).isGreaterThan(10 * hostBlocks);
            assertThat(gauges.sum(TierMetrics.DEMOTED_TO_STATE)).isZero();
        }
    }

    @Test
    void stateIsFull() throws Exception {
        TierGauges gauges = new TierGauges();
        try (DurableCluster cluster = new DurableCluster(MANAGED, gauges.configuration())) {
            Tiers tiers = new Tiers(0, 60, 2, LoadPolicy.ALWAYS, 0, false, false);
            Result result = runs(cluster).run(Disturbance.none().withTiers(tiers));
            report("STATE full", result, gauges);
            assertSame(result);
            assertThat(gauges.sum(TierMetrics.HOST_CAPACITY)).isZero();
            assertThat(gauges.sum(TierMetrics.SESSIONS_EVICTED) + gauges.sum(TierMetrics.SKIPPED))
                    .isPositive();
            assertThat(gauges.sum(TierMetrics.STATE_BYTES)).isLessThanOrEqualTo(60L * 8300);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void thereIsNoManagedMemory(boolean rocksDb) throws Exception {
        TierGauges gauges = new TierGauges();
        try (DurableCluster cluster = new DurableCluster(MemorySize.ZERO, gauges.configuration())) {
            Disturbance disturbance = Disturbance.none().withTiers(Tiers.ALL).withRocksDb(rocksDb);
            Result result = runs(cluster).run(disturbance);
            report("no managed memory", result, gauges);
            assertSame(result);
            assertThat(gauges.sum(TierMetrics.HOST_CAPACITY)).isZero();
            assertThat(gauges.sum(TierMetrics.DEMOTED_TO_STATE)).isPositive();
        }
    }

    /** Blocks stop at the space that is to stay free, so what else is in state goes on. */
    @Test
    void diskOfRocksDbIsFull() throws Exception {
        TierGauges gauges = new TierGauges();
        try (SmallVolume volume = SmallVolume.mount(folder.resolve("volume"), 64);
                DurableCluster cluster = new DurableCluster(MANAGED, gauges.configuration())) {
            Configuration options = new Configuration();
            options.setString("state.backend.rocksdb.localdir", volume.folder().toString());
            options.setString("millrace.state-tier.min-free-disk", "6 mb");
            Tiers tiers = new Tiers(0, -1, 2, LoadPolicy.ALWAYS, 0, false, false);
            Setting setting = new Setting(
                    options,
                    UnaryOperator.identity(),
                    book -> book.whenTokens(600, () -> volume.fillTo(4 << 20)),
                    DurableJob::checkpoint);
            Result result = runs(cluster).run(Disturbance.none().withTiers(tiers), setting);
            report("disk full", result, gauges);
            assertSame(result);
            assertThat(gauges.sum(TierMetrics.DEMOTED_TO_STATE)).isPositive();
            assertThat(gauges.sum(TierMetrics.STORE_ERRORS)).isPositive();
            assertThat(result.restarts()).isZero();
        }
    }

    @Test
    void checkpointsCannotBeWrittenForAWhile() throws Exception {
        TierGauges gauges = new TierGauges();
        Path storage = Files.createDirectories(folder.resolve("storage"));
        Path away = folder.resolve("storage-away");
        long[] completed = new long[2];
        try (DurableCluster cluster = new DurableCluster(MANAGED, gauges.configuration())) {
            Configuration options = new Configuration();
            options.set(
                    CheckpointingOptions.CHECKPOINTS_DIRECTORY, storage.toUri().toString());
            Setting setting = new Setting(
                    options,
                    UnaryOperator.identity(),
                    book -> {
                        book.whenTokens(600, () -> {
                            breakDown(storage, away);
                            completed[0] = completedCheckpoints();
                        });
                        book.whenTokens(1500, () -> {
                            completed[1] = completedCheckpoints();
                            repair(storage, away);
                        });
                    },
                    DurableJob::checkpoint);
            Result result = runs(cluster).run(Disturbance.none().withTiers(Tiers.ALL), setting);
            report(
                    "no storage; " + completed[0] + " checkpoints before, " + completed[1] + " at its end",
                    result,
                    gauges);
            assertSame(result);
            assertThat(result.restarts()).isZero();
            // One may have been all written and not yet told of.
            assertThat(completed[1]).isLessThanOrEqualTo(completed[0] + 1);
            assertThat(result.passes().get(FaultPoint.CHECKPOINT_COMPLETE)).isGreaterThan(completed[1]);
        }
    }

    /** Damaged values are misses, counted, whether Flink or RocksDB keeps them. */
    @ParameterizedTest
    @EnumSource(SavepointFormatType.class)
    void valuesInASavepointAreDamaged(SavepointFormatType format) throws Exception {
        TierGauges gauges = new TierGauges();
        try (DurableCluster cluster = new DurableCluster(MANAGED, gauges.configuration())) {
            Tiers tiers = new Tiers(0, -1, 1, LoadPolicy.ALWAYS, 0, true, true);
            Disturbance disturbance = Disturbance.none()
                    .withTiers(tiers)
                    .withPhases(List.of(new Phase(1, 800, format), new Phase(1, Long.MAX_VALUE, format)));
            Result result = runs(cluster).run(disturbance);
            report(format + " savepoint damaged", result, gauges);
            assertSame(result);
            assertThat(result.damagedValues()).isPositive();
            assertThat(gauges.sum(TierMetrics.DAMAGED)).isPositive();
        }
    }

    private static long completedCheckpoints() {
        return Faults.of("run-0").passes().getOrDefault(FaultPoint.CHECKPOINT_COMPLETE, 0L);
    }

    private static void breakDown(Path storage, Path away) {
        try {
            Files.move(storage, away);
            Files.createFile(storage);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void repair(Path storage, Path away) {
        try {
            Files.delete(storage);
            Files.move(away, storage);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static DisturbedRun runs(DurableCluster cluster) {
        return new DisturbedRun(cluster, AgentScript.SMALL, DisturbedRun.Sizes.small(model), folder);
    }

    private static void assertSame(Result result) {
        assertThat(result.book().differences(expected)).isEmpty();
    }

    private static void report(String what, Result result, TierGauges gauges) {
        System.out.println(what + ": " + result + ", "
                + gauges.describe(
                        TierMetrics.HOST_CAPACITY,
                        TierMetrics.DEMOTED_TO_HOST,
                        TierMetrics.DEMOTED_TO_STATE,
                        TierMetrics.STATE_BYTES,
                        TierMetrics.STORE_ERRORS,
                        TierMetrics.SKIPPED,
                        TierMetrics.DAMAGED,
                        TierMetrics.SESSIONS_EVICTED));
    }
}
