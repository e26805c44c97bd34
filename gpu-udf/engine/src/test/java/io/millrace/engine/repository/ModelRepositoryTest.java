package io.millrace.engine.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.repository.ModelConfig;
import io.millrace.proto.repository.ModelInstanceGroup;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelRepositoryTest {
    private static final String WHOLE = """
            # A comment.
            name: "tiny"
            backend: "cpu"
            platform: ""
            max_batch_size: 24
            input [
              { name: "token_ids" data_type: TYPE_INT32 dims: [ -1 ] }
            ]
            output [ { name: "logits" data_type: TYPE_FP32 dims: [ -1 ] } ]
            instance_group [ { name: "main" kind: KIND_GPU count: 1 gpus: [ 3 ] } ]
            sequence_batching { }
            model_warmup [ { name: "first" batch_size: 1 count: 2 } ]
            model_transaction_policy { decoupled: true }
            parameters { key: "block_size_tokens" value { string_value: "32" } }
            parameters: { key: "block_count", value: { string_value: "many" } }
            """;

    @TempDir
    Path folder;

    @Test
    void readsAWholeConfiguration() throws IOException {
        model("tiny", WHOLE, "1/model.gguf");
        RepositoryModel model = ModelRepository.open(folder).model("tiny");

        assertThat(model.backend()).isEqualTo("cpu");
        assertThat(model.deviceIndex(-1)).isEqualTo(3);
        assertThat(model.maxBatchSequences(8)).isEqualTo(24);
        assertThat(model.positiveInt(ModelParameters.BLOCK_SIZE_TOKENS, 16)).isEqualTo(32);
        assertThat(model.positiveInt(ModelParameters.THREAD_COUNT, 5)).isEqualTo(5);
        assertThatThrownBy(() -> model.positiveInt(ModelParameters.BLOCK_COUNT, 5))
                .hasMessageContaining(
                        "config.pbtxt: parameter block_count must be a positive whole number, not \"many\"");
        assertThat(model.config().getModelTransactionPolicy().getDecoupled()).isTrue();
    }

    @Test
    void backendMayBeLeftOpen() throws IOException {
        model("open", """
                backend: "auto"
                parameters { key: "cuda.operand" value { string_value: "f16" } }
                parameters { key: "block_count" value { string_value: "9" } }
                """, "1/model.gguf");
        RepositoryModel model = ModelRepository.open(folder).model("open");
        assertThat(model.backend()).isEqualTo("auto");
        assertThat(model.backendParameters()).containsOnly(entry("cuda.operand", "f16"));
        assertThat(model.deviceIndex(-1)).isEqualTo(-1);
        model("wrong", """
                backend: "auto"
                parameters { key: "operand" value { string_value: "f16" } }
                """, "1/model.gguf");
        assertThatThrownBy(() -> ModelRepository.open(folder).model("wrong"))
                .hasMessageContaining("there is no parameter operand");
    }

    @Test
    void fieldsHaveTritonsNumbers() {
        assertThat(ModelConfig.getDescriptor().getFields().stream()
                        .map(field -> field.getName() + "=" + field.getNumber()))
                .containsExactlyInAnyOrder(
                        "name=1",
                        "platform=2",
                        "version_policy=3",
                        "max_batch_size=4",
                        "input=5",
                        "output=6",
                        "instance_group=7",
                        "default_model_filename=8",
                        "dynamic_batching=11",
                        "sequence_batching=13",
                        "parameters=14",
                        "model_warmup=16",
                        "backend=17",
                        "model_transaction_policy=19");
        assertThat(ModelInstanceGroup.KIND_FIELD_NUMBER).isEqualTo(4);
    }

    @Test
    void servesTheNewestVersionThatThePolicyAllows() throws IOException {
        String config = "backend: \"cpu\" default_model_filename: \"weights.gguf\" ";
        model("newest", config, "2/weights.gguf", "10/weights.gguf", "9/weights.gguf", "011/weights.gguf", "x/y");
        model(
                "chosen",
                config + "version_policy { specific { versions: [ 3, 2 ] } }",
                "2/weights.gguf",
                "10/weights.gguf");
        model("none", config + "version_policy: { specific: { versions: 4 } }", "2/weights.gguf");
        ModelRepository repository = ModelRepository.open(folder);

        assertThat(repository.modelNames()).containsExactly("chosen", "newest", "none");
        assertThat(repository.model("newest").version()).isEqualTo(10);
        assertThat(repository.model("newest").modelFile()).isEqualTo(folder.resolve("newest/10/weights.gguf"));
        assertThat(repository.model("chosen").version()).isEqualTo(2);
        assertThatThrownBy(() -> repository.model("none")).hasMessageContaining("it has [2]");
    }

    @Test
    void namesFileLineAndFieldOfWhatItDoesNotKnow() throws IOException {
        model("bad", "backend: \"cpu\"\nmax_batch_size: 4\ninstance_group [ { cuont: 1 } ]\n", "1/model.gguf");
        model("worse", "backend: \"cpu\"\nmax_batch_size: lots\n", "1/model.gguf");
        model("open", "backend: \"cpu\"\nparameters { key: \"block_count\"", "1/model.gguf");
        ModelRepository repository = ModelRepository.open(folder);

        assertThatThrownBy(() -> repository.model("bad"))
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST))
                .hasMessageContaining(folder.resolve("bad/config.pbtxt") + ":3:20: ")
                .hasMessageContaining("cuont");
        assertThatThrownBy(() -> repository.model("worse")).hasMessageContaining("config.pbtxt:2:17: ");
        assertThatThrownBy(() -> repository.model("open")).hasMessageContaining("config.pbtxt:2:");
    }

    @Test
    void refusesWhatCannotBeServed() throws IOException {
        model("other", "name: \"tiny\" backend: \"cpu\"", "1/model.gguf");
        model("backendless", "name: \"backendless\"", "1/model.gguf");
        model("escaping", "backend: \"cpu\" default_model_filename: \"../../secret\"", "1/model.gguf");
        model("unknown", "backend: \"cpu\" parameters { key: \"block_cuont\" value { string_value: \"1\" } }", "1/m");
        model("empty", "backend: \"cpu\"", "1/other.gguf");
        ModelRepository repository = ModelRepository.open(folder);

        assertThatThrownBy(() -> repository.model("other")).hasMessageContaining("name is \"tiny\"");
        assertThatThrownBy(() -> repository.model("backendless")).hasMessageContaining("backend is missing");
        assertThatThrownBy(() -> repository.model("escaping")).hasMessageContaining("a file's name alone");
        assertThatThrownBy(() -> repository.model("unknown")).hasMessageContaining("no parameter block_cuont");
        assertThatThrownBy(() -> repository.model("empty"))
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_NOT_FOUND))
                .hasMessageContaining("1/model.gguf");
        assertThatThrownBy(() -> repository.model("../x")).hasMessageContaining("there are [backendless, ");
        assertThatThrownBy(() -> ModelRepository.open(folder.resolve("absent"))).hasMessageContaining("is no folder");
    }

    private void model(String name, String config, String... files) throws IOException {
        Path modelFolder = Files.createDirectories(folder.resolve(name));
        Files.writeString(modelFolder.resolve("config.pbtxt"), config);
        for (String file : files) {
            Files.createDirectories(modelFolder.resolve(file).getParent());
            Files.writeString(modelFolder.resolve(file), "");
        }
    }
}
