package io.millrace.job.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import io.millrace.operators.tiers.LoadPolicy;
import io.millrace.operators.tiers.TierSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JobConfigurationTest {
    @TempDir
    Path directory;

    @Test
    void nestedAndDottedKeys() throws Exception {
        Configuration configuration = JobConfiguration.load(file("""
                millrace:
                  engine:
                    kv-memory: 64 mb
                    linger: 5 s
                millrace.decode.parallelism: 2
                pipeline.jars: [a.jar, b.jar]
                """));
        assertThat(configuration.get(MillraceOptions.KV_MEMORY)).isEqualTo(MemorySize.ofMebiBytes(64));
        assertThat(configuration.get(MillraceOptions.ENGINE_LINGER)).isEqualTo(Duration.ofSeconds(5));
        assertThat(configuration.get(MillraceOptions.DECODE_PARALLELISM)).isEqualTo(2);
        assertThat(configuration.get(org.apache.flink.configuration.PipelineOptions.JARS))
                .containsExactly("a.jar", "b.jar");
    }

    @Test
    void emptyFileIsAnEmptyConfiguration() throws Exception {
        assertThat(JobConfiguration.load(file("")).keySet()).isEmpty();
        assertThat(JobConfiguration.load(file("# nothing\n")).keySet()).isEmpty();
    }

    @Test
    void badFilesAreNamed() throws Exception {
        assertThatThrownBy(() -> JobConfiguration.load(directory.resolve("missing.yaml")))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("missing.yaml");
        for (String text : new String[] {"- a\n- b\n", "a: [", "just text"}) {
            assertThatThrownBy(() -> JobConfiguration.load(file(text)))
                    .as(text)
                    .isInstanceOf(ServingException.class)
                    .hasMessageContaining("test.yaml");
        }
    }

    @Test
    void localConfigurationComesWithMillrace() {
        Configuration configuration = JobConfiguration.loadLocal();
        assertThat(configuration.get(CheckpointingOptions.CHECKPOINTS_DIRECTORY))
                .contains("millrace-checkpoints");
        assertThat(configuration.get(CheckpointingOptions.ENABLE_UNALIGNED)).isTrue();
        assertThat(configuration.get(RestartStrategyOptions.RESTART_STRATEGY)).isEqualTo("exponential-delay");
        assertThat(configuration.toMap()).containsEntry("metrics.reporters", "prom");
    }

    @Test
    void flinkOptionsAreDefaultsThatGiveWay() {
        Configuration none = MillraceJob.flinkConfiguration(new Configuration());
        assertThat(none.get(StateBackendOptions.STATE_BACKEND)).isEqualTo("rocksdb");
        assertThat(none.get(CheckpointingOptions.INCREMENTAL_CHECKPOINTS)).isTrue();
        assertThat(none.get(CheckpointingOptions.TOLERABLE_FAILURE_NUMBER)).isEqualTo(Integer.MAX_VALUE);
        assertThat(none.toMap())
                .containsEntry("state.backend.rocksdb.rescaling.use-delete-files-in-range", "true")
                .containsEntry(
                        "state.backend.rocksdb.options-factory", "io.millrace.kv.rocksdb.BlockStateOptionsFactory");

        Configuration given = new Configuration();
        given.set(StateBackendOptions.STATE_BACKEND, "hashmap");
        given.set(CheckpointingOptions.TOLERABLE_FAILURE_NUMBER, 3);
        Configuration kept = MillraceJob.flinkConfiguration(given);
        assertThat(kept.get(StateBackendOptions.STATE_BACKEND)).isEqualTo("hashmap");
        assertThat(kept.get(CheckpointingOptions.TOLERABLE_FAILURE_NUMBER)).isEqualTo(3);
    }

    @Test
    void localJobAndDefaultsAgree() {
        Map<String, String> local = JobConfiguration.readLocal().toMap();
        Map<String, String> defaults =
                MillraceJob.flinkConfiguration(new Configuration()).toMap();
        for (String key : List.of(
                "state.backend.type",
                "execution.checkpointing.incremental",
                "state.backend.rocksdb.options-factory",
                "state.backend.rocksdb.rescaling.use-delete-files-in-range")) {
            assertThat(local).containsEntry(key, defaults.get(key));
        }
    }

    @Test
    void tiersAreAsTheOptionsSay() {
        TierSettings defaults = MillraceJob.tierSettings(new Configuration());
        assertThat(defaults).isEqualTo(TierSettings.defaults(Duration.ofDays(30)));

        Configuration options = new Configuration();
        options.setString("millrace.host-tier.enabled", "false");
        options.setString("millrace.state-tier.max-size", "1 gb");
        options.setString("millrace.state-tier.retention", "drop_after_turn");
        options.setString("millrace.tiers.load", "always");
        TierSettings settings = MillraceJob.tierSettings(options);
        assertThat(settings.hostMaxBytes()).isZero();
        assertThat(settings.stateMaxBytes()).isEqualTo(1L << 30);
        assertThat(settings.retention()).isEqualTo(TierSettings.Retention.DROP_AFTER_TURN);
        assertThat(settings.load()).isEqualTo(LoadPolicy.ALWAYS);
    }

    @Test
    void everyMillraceKeyOfTheLocalConfigurationIsAnOption() {
        for (String key : JobConfiguration.loadLocal().keySet()) {
            if (key.startsWith("millrace.")) {
                assertThat(MillraceOptions.all())
                        .anyMatch(option -> option.key().equals(key));
            }
        }
    }

    private Path file(String text) throws Exception {
        Path file = directory.resolve("test.yaml");
        Files.writeString(file, text);
        return file;
    }
}
