package io.millrace.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.model.GeneratedModel.Options;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Edits the metadata and tensors of generated models, and looks at what is made of them. */
class ModelSpecReaderTest {
    @TempDir
    Path folder;

    private final Map<String, BiConsumer<GgufWriter, String>> changes = new LinkedHashMap<>();
    private final Map<String, long[]> tensorShapes = new LinkedHashMap<>();

    @Test
    void headSizeFollowsFromTheWidthWhereItIsNotSaid() throws IOException {
        changes.put("llama.attention.key_length", null);
        changes.put("llama.attention.value_length", null);
        changes.put("llama.rope.dimension_count", null);
        changes.put("llama.rope.freq_base", null);
        ModelSpec spec = open("llama");
        assertThat(spec.headDim()).isEqualTo(16);
        assertThat(spec.rope().dimensions()).isEqualTo(16);
        assertThat(spec.rope().base()).isEqualTo(10_000f);
        assertThat(spec.attentionScale()).isEqualTo(0.25f);
        assertThat(spec.slidingRope()).isEqualTo(spec.rope());
    }

    @Test
    void kvHeadsAreTheHeadsWhereTheyAreNotSaid() throws IOException {
        changes.put("llama.attention.head_count_kv", null);
        tensorShapes.put("blk.0.attn_k.weight", new long[] {64, 64});
        tensorShapes.put("blk.0.attn_v.weight", new long[] {64, 64});
        tensorShapes.put("blk.1.attn_k.weight", new long[] {64, 64});
        tensorShapes.put("blk.1.attn_v.weight", new long[] {64, 64});
        assertThat(open("llama").kvHeadCount()).isEqualTo(4);
    }

    @Test
    void perLayerNumbersMustAgree() throws IOException {
        changes.put("llama.attention.head_count_kv", (writer, key) -> writer.putIntArray(key, new int[] {2, 2}));
        assertThat(open("llama").kvHeadCount()).isEqualTo(2);
        changes.put("llama.attention.head_count_kv", (writer, key) -> writer.putIntArray(key, new int[] {2, 1}));
        refused("llama", "'llama.attention.head_count_kv'", "the same for every layer");
        changes.put("llama.attention.head_count_kv", (writer, key) -> writer.putIntArray(key, new int[0]));
        refused("llama", "'llama.attention.head_count_kv'", "found 0");
    }

    @Test
    void llamaBiasesAreSeenByTheirTensors() throws IOException {
        for (int layer = 0; layer < 2; layer++) {
            tensorShapes.put("blk." + layer + ".attn_q.bias", new long[] {64});
            tensorShapes.put("blk." + layer + ".attn_k.bias", new long[] {32});
            tensorShapes.put("blk." + layer + ".attn_v.bias", new long[] {32});
        }
        assertThat(open("llama").attentionBias()).isTrue();
    }

    @Test
    void ropeScaling() throws IOException {
        changes.put("llama.rope.scaling.factor", (writer, key) -> writer.putFloat(key, 8f));
        assertThat(open("llama").rope().positionScale()).isEqualTo(0.125f);
        changes.put("llama.rope.scaling.type", (writer, key) -> writer.putString(key, "none"));
        assertThat(open("llama").rope().positionScale()).isEqualTo(1f);
        changes.put("llama.rope.scaling.type", (writer, key) -> writer.putString(key, "yarn"));
        refused("llama", "'llama.rope.scaling.type'", "expected 'linear' or 'none', found 'yarn'");
        changes.clear();
        changes.put("llama.rope.scale_linear", (writer, key) -> writer.putFloat(key, 2f));
        assertThat(open("llama").rope().positionScale()).isEqualTo(0.5f);
        changes.put("llama.rope.scale_linear", (writer, key) -> writer.putFloat(key, Float.NaN));
        refused("llama", "'llama.rope.scale_linear'", "expected a positive number, found NaN");
    }

    @Test
    void ropeFactorsMustFit() throws IOException {
        tensorShapes.put(ModelTensors.ROPE_FREQUENCIES, new long[] {8});
        refused("llama", "rope_freqs.weight", "expected positive factors, found 0.0");
        tensorShapes.put(ModelTensors.ROPE_FREQUENCIES, new long[] {7});
        refused("llama", "rope_freqs.weight", "expected 8 factors");
    }

    @Test
    void gemma() throws IOException {
        changes.put("gemma3.attention.sliding_window_pattern", null);
        changes.put("gemma3.rope.scaling.factor", (writer, key) -> writer.putFloat(key, 8f));
        ModelSpec spec = open("gemma3");
        assertThat(spec.slidingPattern()).isEqualTo(6);
        assertThat(spec.isSliding(4)).isTrue();
        assertThat(spec.isSliding(5)).isFalse();
        assertThat(spec.rope().positionScale()).isEqualTo(0.125f);
        assertThat(spec.slidingRope().positionScale()).isEqualTo(1f);
        assertThat(spec.embeddingScale()).isEqualTo((float) Math.sqrt(64));
        changes.put("gemma3.rope.freq_base_swa", (writer, key) -> writer.putFloat(key, 5000f));
        assertThat(open("gemma3").slidingRope().base()).isEqualTo(5000f);
        changes.put("gemma3.final_logit_softcapping", (writer, key) -> writer.putFloat(key, 30f));
        refused("gemma3", "'gemma3.final_logit_softcapping'", "expected no softcapping of logits");
    }

    @Test
    void gemma27bScalesByItsWidthPerHead() throws IOException {
        Path file = folder.resolve("27b.gguf");
        GeneratedModel.write(file, Options.tiny("gemma3", 1).withShape(62, 64, 64, 4, 2, 32));
        try (GgufModel model = GgufModel.open(file)) {
            assertThat(model.spec().headDim()).isEqualTo(32);
            assertThat(model.spec().attentionScale()).isEqualTo(0.25f);
        }
    }

    @Test
    void refusesWhatItDoesNotKnow() throws IOException {
        changes.put("general.architecture", (writer, key) -> writer.putString(key, "mamba"));
        refused("llama", "'general.architecture'", "(llama, qwen2, qwen3, gemma3), found 'mamba'");
        changes.put("general.architecture", null);
        refused("llama", "'general.architecture' is missing");
        refusedWith("llama.expert_count", (writer, key) -> writer.putInt(key, 8), "mixture of experts");
        refusedWith("split.count", (writer, key) -> writer.putInt(key, 3), "one of 3 parts");
        refusedWith("general.type", (writer, key) -> writer.putString(key, "adapter"), "found 'adapter'");
        refusedWith("llama.attention.causal", (writer, key) -> writer.putBool(key, false), "a causal decoder");
        refusedWith("llama.rope.scaling.attn_factor", (writer, key) -> writer.putFloat(key, 2f), "no scaling");
    }

    @Test
    void refusesNumbersOutOfRange() throws IOException {
        for (String name : List.of(
                "block_count",
                "embedding_length",
                "feed_forward_length",
                "context_length",
                "attention.head_count",
                "attention.head_count_kv",
                "attention.key_length")) {
            String key = "llama." + name;
            refusedWith(key, (writer, k) -> writer.putInt(k, 0), "expected a number from 1 to ", "found 0");
            refusedWith(key, (writer, k) -> writer.putInt(k, -1), "found 4294967295");
            refusedWith(key, (writer, k) -> writer.putLong(k, Long.MIN_VALUE), "found 9223372036854775808");
        }
        refusedWith("llama.attention.head_count_kv", (writer, k) -> writer.putInt(k, 3), "divisor of the 4 heads");
        refusedWith("llama.attention.value_length", (writer, k) -> writer.putInt(k, 8), "as long as keys (16)");
        refusedWith("llama.attention.key_length", (writer, k) -> writer.putInt(k, 15), "even size");
        refusedWith("llama.rope.dimension_count", (writer, k) -> writer.putInt(k, 18), "size 16, found 18");
        refusedWith("llama.rope.freq_base", (writer, k) -> writer.putFloat(k, -1f), "found -1.0");
        String epsilon = "llama.attention.layer_norm_rms_epsilon";
        refusedWith(epsilon, (writer, k) -> writer.putFloat(k, Float.NaN), "found NaN");
        refusedWith(epsilon, null, "is missing");
        refusedWith("llama.block_count", null, "is missing");
        String tokens = "tokenizer.ggml.tokens";
        refusedWith(tokens, (writer, k) -> writer.putStringArray(k, List.of("a")), "rows (512), found 1");
    }

    @Test
    void refusesTensorsThatDoNotFit() throws IOException {
        tensorShapes.put("blk.1.ffn_up.weight", null);
        refused("llama", "tensor 'blk.1.ffn_up.weight' is missing; expected shape [64, 128]");
        tensorShapes.clear();
        tensorShapes.put("blk.1.ffn_up.weight", new long[] {128, 64});
        refused("llama", "'blk.1.ffn_up.weight': expected shape [64, 128], found [128, 64]");
        tensorShapes.clear();
        tensorShapes.put("token_embd.weight", new long[] {32, 512});
        refused("llama", "token_embd.weight", "expected rows of 64");
        tensorShapes.put("token_embd.weight", null);
        refused("llama", "'token_embd.weight' is missing");
        tensorShapes.clear();
        tensorShapes.put("blk.0.attn_output.bias", new long[] {64});
        refused("llama", "'blk.0.attn_output.bias' is not one that llama models are known to have");
        tensorShapes.clear();
        tensorShapes.put("blk.0.attn_rot_embd", new long[] {8});
        assertThat(open("llama").layerCount()).isEqualTo(2);
    }

    @Test
    void missingTensorsAndClosedModelsAreNamed() throws IOException {
        Path file = edited("llama");
        GgufModel model = GgufModel.open(file);
        assertThat(model.findTensor("nothing")).isNull();
        assertThatThrownBy(() -> model.tensor("nothing")).hasMessageContaining("tensor 'nothing' is missing");
        model.close();
        assertThatThrownBy(() -> model.tensor("token_embd.weight")).isInstanceOf(IllegalStateException.class);
    }

    private void refusedWith(String key, BiConsumer<GgufWriter, String> change, String... parts) throws IOException {
        changes.clear();
        changes.put(key, change);
        refused("llama", parts);
        changes.clear();
    }

    private void refused(String architecture, String... parts) throws IOException {
        Path file = edited(architecture);
        assertThatThrownBy(() -> GgufModel.open(file))
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MODEL_FILE_INVALID))
                .hasMessageContaining(file.toString())
                .satisfies(e -> assertThat(e.getMessage()).contains(parts));
    }

    private ModelSpec open(String architecture) throws IOException {
        try (GgufModel model = GgufModel.open(edited(architecture))) {
            return model.spec();
        }
    }

    /** Writes a generated model with the changes; a null change leaves the key or tensor out. */
    private Path edited(String architecture) throws IOException {
        Path source = folder.resolve("source.gguf");
        Path file = folder.resolve("edited.gguf");
        GeneratedModel.write(source, Options.tiny(architecture, 1));
        GgufHeader header = GgufHeader.read(MappedFile.open(source));
        GgufWriter writer = new GgufWriter();
        for (String key : header.metadata().keys()) {
            if (!changes.containsKey(key)) {
                writer.putCopy(header.metadata(), key);
            }
        }
        changes.forEach((key, change) -> {
            if (change != null) {
                change.accept(writer, key);
            }
        });
        for (GgufTensor tensor : header.tensors().values()) {
            if (!tensorShapes.containsKey(tensor.name())) {
                writer.addCopy(tensor);
            }
        }
        tensorShapes.forEach((name, shape) -> {
            if (shape != null) {
                writer.addTensor(name, TensorType.F32, shape, (row, to) -> {});
            }
        });
        writer.write(file);
        return file;
    }
}
