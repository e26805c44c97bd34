package io.millrace.job.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.backend.Backends;
import io.millrace.engine.backend.KvPoolSize;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.model.GeneratedModel;
import io.millrace.model.GgufModel;
import io.millrace.operators.DevicePlace;
import io.millrace.operators.model.GgufServedModel;
import io.millrace.operators.model.ModelSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelResolutionTest {
    @TempDir
    Path directory;

    private final Configuration configuration = new Configuration();

    @Test
    void fileGivesTheModelItsName() {
        configuration.set(MillraceOptions.MODEL_FILE, "/models/small.Q4_1.gguf");
        ModelSettings settings = ModelResolution.resolve(configuration);
        assertThat(settings.modelName()).isEqualTo("small.Q4_1");
        assertThat(settings.modelFile()).isEqualTo("/models/small.Q4_1.gguf");
        assertThat(settings.backend()).isEqualTo("auto");
        assertThat(settings.deviceIndex()).isEqualTo(ModelSettings.ANY_DEVICE);
        assertThat(settings.linger()).isEqualTo(Duration.ofMinutes(1));
        configuration.set(MillraceOptions.MODEL_NAME, "small");
        assertThat(MillraceJob.modelName(configuration)).isEqualTo("small");
    }

    @Test
    void repositoryIsReadAndTheConfigurationGoesOverIt() throws Exception {
        Path version = Files.createDirectories(directory.resolve("tiny").resolve("1"));
        Files.writeString(version.resolve("model.gguf"), "");
        Files.writeString(directory.resolve("tiny").resolve("config.pbtxt"), """
                backend: "sim"
                max_batch_size: 7
                parameters { key: "block_count" value { string_value: "99" } }
                parameters { key: "sim.time_scale" value { string_value: "0" } }
                parameters { key: "queue_capacity" value { string_value: "11" } }
                """);
        configuration.set(MillraceOptions.MODEL_REPOSITORY, directory.toString());
        configuration.set(MillraceOptions.MODEL_NAME, "tiny");
        configuration.set(MillraceOptions.QUEUE_CAPACITY, 22);
        ModelSettings settings = ModelResolution.resolve(configuration);
        assertThat(settings.modelFile())
                .isEqualTo(version.resolve("model.gguf").toAbsolutePath().toString());
        assertThat(settings.backend()).isEqualTo("sim");
        assertThat(settings.maxBatchSequences()).isEqualTo(7);
        assertThat(settings.pool().blockCount()).isEqualTo(99);
        assertThat(settings.queueCapacity()).isEqualTo(22);
        assertThat(settings.maxBatchTokens()).isEqualTo(512);
        assertThat(settings.backendParameters()).isEqualTo(Map.of("time_scale", "0"));
        configuration.set(MillraceOptions.BACKEND_PARAMETERS, Map.of("seed", "3"));
        assertThat(ModelResolution.resolve(configuration).backendParameters()).isEqualTo(Map.of("seed", "3"));
        configuration.removeConfig(MillraceOptions.BACKEND_PARAMETERS);
        // Another backend than the file's has not the file's settings.
        configuration.set(MillraceOptions.BACKEND, "cpu");
        assertThat(ModelResolution.resolve(configuration).backendParameters()).isEmpty();
    }

    @Test
    void parametersOfABackendThatIsChosenNameTheirs() throws Exception {
        Path version = Files.createDirectories(directory.resolve("tiny").resolve("1"));
        Files.writeString(version.resolve("model.gguf"), "");
        Files.writeString(directory.resolve("tiny").resolve("config.pbtxt"), """
                backend: "auto"
                parameters { key: "cuda.operand" value { string_value: "f16" } }
                parameters { key: "sim.seed" value { string_value: "3" } }
                """);
        configuration.set(MillraceOptions.MODEL_REPOSITORY, directory.toString());
        configuration.set(MillraceOptions.MODEL_NAME, "tiny");
        ModelSettings settings = ModelResolution.resolve(configuration);
        assertThat(settings.backend()).isEqualTo("auto");
        assertThat(settings.parametersOf("cuda")).isEqualTo(Map.of("operand", "f16"));
        assertThat(settings.parametersOf("cpu")).isEmpty();
        configuration.set(MillraceOptions.BACKEND_PARAMETERS, Map.of("operand", "f16"));
        assertThatThrownBy(() -> ModelResolution.resolve(configuration).parametersOf("cuda"))
                .hasMessageContaining("parameter operand names no backend")
                .hasMessageContaining("cuda.operand");
        configuration.set(MillraceOptions.BACKEND, "cuda");
        assertThat(ModelResolution.resolve(configuration).parametersOf("cuda")).isEqualTo(Map.of("operand", "f16"));
    }

    @Test
    void sizeOfTheKvPoolIsOpenUnlessItIsSet() {
        configuration.set(MillraceOptions.MODEL_FILE, "/models/a.gguf");
        assertThat(ModelResolution.resolve(configuration).pool()).isEqualTo(KvPoolSize.DEFAULT);
        configuration.set(MillraceOptions.KV_MEMORY, MemorySize.ofMebiBytes(7));
        configuration.set(MillraceOptions.DEVICE_MEMORY_FRACTION, 0.5);
        configuration.set(MillraceOptions.DEVICE_MEMORY_RESERVE, MemorySize.ofMebiBytes(2));
        assertThat(ModelResolution.resolve(configuration).pool()).isEqualTo(new KvPoolSize(0, 7 << 20, 0.5, 2 << 20));
        configuration.set(MillraceOptions.DEVICE_MEMORY_FRACTION, 1.5);
        assertThatThrownBy(() -> ModelResolution.resolve(configuration))
                .hasMessage("millrace.engine.device-memory-fraction must be above 0 and at most 1: 1.5");
    }

    @Test
    void missingModelIsSaid() {
        assertThatThrownBy(() -> ModelResolution.resolve(configuration))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("millrace.model.file");
        configuration.set(MillraceOptions.MODEL_REPOSITORY, directory.toString());
        configuration.set(MillraceOptions.MODEL_NAME, "absent");
        assertThatThrownBy(() -> ModelResolution.resolve(configuration))
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_NOT_FOUND));
    }

    @Test
    void limitsFollowTheModel() throws Exception {
        Path file = directory.resolve("generated.gguf");
        GeneratedModel.write(file, GeneratedModel.Options.tiny("llama", 1));
        configuration.set(MillraceOptions.MODEL_FILE, file.toString());
        try (GgufModel model = GgufModel.open(file)) {
            // 2 layers, keys and values of 2 heads of 16 floats, 32 tokens: 16,384 bytes a block.
            configuration.set(MillraceOptions.KV_MEMORY, new MemorySize(16_384 * 10 + 1));
            ModelSettings settings = ModelResolution.resolve(configuration);
            assertThat(settings.resolvedMaxModelTokens(model.spec())).isEqualTo(4096);
            // The device may hold twice as many of half the size; the engine knows.
            assertThat(settings.maxTurnTokens(model.spec())).isEqualTo(640);
            configuration.set(MillraceOptions.BACKEND, "cpu");
            assertThat(ModelResolution.resolve(configuration).maxTurnTokens(model.spec()))
                    .isEqualTo(320);
            configuration.set(MillraceOptions.MAX_MODEL_TOKENS, 100);
            assertThat(ModelResolution.resolve(configuration).maxTurnTokens(model.spec()))
                    .isEqualTo(100);
            configuration.set(MillraceOptions.MAX_MODEL_TOKENS, 10_000);
            assertThat(ModelResolution.resolve(configuration).resolvedMaxModelTokens(model.spec()))
                    .isEqualTo(4096);
        }
    }

    @Test
    void deviceFollowsFromThePlaceUnlessItIsSet() {
        configuration.set(MillraceOptions.MODEL_FILE, "/models/a.gguf");
        configuration.set(MillraceOptions.BACKEND, "cpu");
        GgufServedModel model = new GgufServedModel(ModelResolution.resolve(configuration));
        assertThat(model.key().deviceIndex()).isZero();
        // The cpu is one device.
        assertThat(model.at(new DevicePlace(List.of(), 5)).key().deviceIndex()).isZero();
        assertThat(model.at(new DevicePlace(List.of(3, 7), 5)).key().deviceIndex())
                .isEqualTo(7);
        configuration.set(MillraceOptions.BACKEND_DEVICE, 2);
        GgufServedModel set = new GgufServedModel(ModelResolution.resolve(configuration));
        assertThat(set.at(new DevicePlace(List.of(3, 7), 5)).key().deviceIndex())
                .isEqualTo(2);
    }

    @Test
    void backendIsChosenInTheProcessThatRunsTheModel() {
        configuration.set(MillraceOptions.MODEL_FILE, "/models/a.gguf");
        GgufServedModel chosen = new GgufServedModel(ModelResolution.resolve(configuration));
        // Whichever it is here, it is named, and named alike.
        assertThat(chosen.key().backend())
                .isIn("cpu", "cuda")
                .isEqualTo(Backends.chosen("auto").name());
        configuration.set(MillraceOptions.BACKEND, "absent");
        assertThatThrownBy(() -> new GgufServedModel(ModelResolution.resolve(configuration)).key())
                .hasMessageContaining("there is no backend named absent");
    }

    @Test
    void equalSettingsShareAnEngineAndOthersDoNot() {
        configuration.set(MillraceOptions.MODEL_FILE, "/models/a.gguf");
        GgufServedModel model = new GgufServedModel(ModelResolution.resolve(configuration));
        assertThat(model.key()).isEqualTo(new GgufServedModel(ModelResolution.resolve(configuration)).key());
        configuration.set(MillraceOptions.MAX_BATCH_SEQUENCES, 3);
        assertThat(model.key()).isNotEqualTo(new GgufServedModel(ModelResolution.resolve(configuration)).key());
    }
}
