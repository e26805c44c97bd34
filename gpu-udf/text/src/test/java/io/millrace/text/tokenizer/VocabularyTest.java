package io.millrace.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import io.millrace.model.GeneratedModel;
import io.millrace.model.GgufModel;
import io.millrace.model.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Vocabularies read from model files. */
class VocabularyTest {
    private static final Set<String> DEFAULTED = Set.of(
            "tokenizer.ggml.bos_token_id",
            "tokenizer.ggml.eos_token_id",
            "tokenizer.ggml.eot_token_id",
            "tokenizer.ggml.unknown_token_id",
            "tokenizer.ggml.padding_token_id",
            "tokenizer.ggml.add_bos_token",
            "tokenizer.ggml.add_eos_token",
            "tokenizer.ggml.add_space_prefix",
            "tokenizer.ggml.pre");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen2", "gemma3"})
    void isReadFromAModelFile(String architecture) throws IOException {
        Path file = folder.resolve("model.gguf");
        GeneratedModel.write(file, GeneratedModel.Options.tiny(architecture, 1));
        Tokenizer tokenizer = Tokenizers.of(read(file));
        TestingTexts.forAll(71, 200, random -> {
            String text = TestingTexts.mixed(
                            random, 20, List.of("the water runs", "<|im_end|>", "<end_of_turn>", " \n"))
                    .replace('\u2581', ' ');
            assertThat(tokenizer.decode(tokenizer.encode(text, false))).isEqualTo(text);
        });
        assertThat(tokenizer.isEndOfTurn(tokenizer.eosId())).isTrue();
        assertThat(tokenizer.isSpecial(tokenizer.bosId())).isTrue();
        assertThat(tokenizer.addBos()).isEqualTo(architecture.equals("gemma3"));
    }

    @Test
    void aSilentFileHasTheDefaultsOfItsKind() throws IOException {
        Path bytePair = copyWithoutDefaulted("llama", null);
        Vocabulary vocabulary = read(bytePair);
        assertThat(vocabulary.pre()).isEqualTo("default");
        assertThat(new int[] {vocabulary.bosId(), vocabulary.eosId(), vocabulary.unkId()})
                .containsOnly(-1);
        assertThat(vocabulary.addBos()).isFalse();
        assertThat(vocabulary.addSpacePrefix()).isFalse();

        assertThat(read(copyWithoutDefaulted("llama", "llama-bpe")).addBos()).isTrue();

        Vocabulary sentencePiece = read(copyWithoutDefaulted("gemma3", null));
        assertThat(sentencePiece.bosId()).isEqualTo(1);
        assertThat(sentencePiece.eosId()).isEqualTo(2);
        assertThat(sentencePiece.unkId()).isZero();
        assertThat(sentencePiece.addBos()).isTrue();
        assertThat(sentencePiece.addSpacePrefix()).isTrue();
    }

    @Test
    void namesAPreTokenizerThatItDoesNotKnow() throws IOException {
        Path file = copyWithoutDefaulted("llama", "klingon");
        assertThatThrownBy(() -> read(file))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("\"klingon\"")
                .hasMessageContaining("smollm");
    }

    private Path copyWithoutDefaulted(String architecture, String pre) throws IOException {
        Path source = folder.resolve(architecture + ".gguf");
        GeneratedModel.write(source, GeneratedModel.Options.tiny(architecture, 1));
        Path target = folder.resolve(architecture + "-" + pre + ".gguf");
        try (GgufModel model = GgufModel.open(source)) {
            GgufWriter writer = new GgufWriter();
            for (String key : model.metadata().keys()) {
                if (!DEFAULTED.contains(key) && !key.equals("general.alignment")) {
                    writer.putCopy(model.metadata(), key);
                }
            }
            if (pre != null) {
                writer.putString("tokenizer.ggml.pre", pre);
            }
            model.tensors().forEach(writer::addCopy);
            writer.write(target);
        }
        return target;
    }

    private static Vocabulary read(Path file) {
        try (GgufModel model = GgufModel.open(file)) {
            return Vocabulary.fromMetadata(model.metadata());
        }
    }
}
