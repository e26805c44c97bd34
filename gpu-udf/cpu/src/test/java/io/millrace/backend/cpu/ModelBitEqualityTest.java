package io.millrace.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.backend.cpu.kernel.Kernels;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.model.GgufModel;
import io.millrace.model.ModelCopy;
import io.millrace.model.TensorType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A row's logits are the same bits whatever it is computed with: chunks, other sequences, kernels, threads, formats.
 */
class ModelBitEqualityTest {
    private static final int PROMPT = 150;
    private static final int OTHERS = 16;

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen2", "qwen3", "gemma3"})
    void chunksKernelsAndThreadsGiveTheSameBits(String architecture) throws IOException {
        try (GgufModel model = TestingModels.generate(folder, TestingModels.wideHeads(architecture, 11))) {
            float[] expected = run(TestingModels.spec(model, 1), TestingModels.scalar(), 512);
            for (int threads = 1; threads <= 3; threads++) {
                for (int chunk : new int[] {1, 7, 32, 512}) {
                    float[] actual = run(TestingModels.spec(model, threads), TestingModels.vector(), chunk);
                    assertThat(actual)
                            .as("%d threads, chunks of %d", threads, chunk)
                            .containsExactly(expected);
                }
            }
            float[] scalar = run(TestingModels.spec(model, 2), TestingModels.scalar(), 7);
            assertThat(scalar).as("scalar kernels, chunks of 7").containsExactly(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen2", "qwen3", "gemma3"})
    void smallHeadsAndBlocksGiveTheSameBits(String architecture) throws IOException {
        try (GgufModel model =
                TestingModels.generate(folder, io.millrace.model.GeneratedModel.Options.tiny(architecture, 5))) {
            InstanceSpec blocksOf8 = new InstanceSpec(model, 512, 8, 512, 24, 512, 0, 2);
            float[] expected = run(TestingModels.spec(model, 1), TestingModels.scalar(), 512);
            assertThat(run(TestingModels.spec(model, 2), TestingModels.vector(), 7))
                    .containsExactly(expected);
            assertThat(run(blocksOf8, TestingModels.vector(), 32)).containsExactly(expected);
            assertThat(run(blocksOf8, TestingModels.scalar(), 512)).containsExactly(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen2", "qwen3", "gemma3"})
    void otherSequencesInTheBatchChangeNothing(String architecture) throws IOException {
        try (GgufModel model = TestingModels.generate(folder, TestingModels.wideHeads(architecture, 12))) {
            InstanceSpec spec = TestingModels.spec(model, 2);
            float[] alone = run(spec, TestingModels.vector(), 512);
            try (ModelInstance instance = TestingModels.load(spec, TestingModels.vector())) {
                TestingSequences sequences = new TestingSequences(spec, instance);
                int vocabSize = instance.modelSpec().vocabSize();
                int[] tokens = TestingModels.tokens(1, PROMPT, vocabSize);
                int[] other = TestingModels.tokens(2, 512, vocabSize);
                TestingSequences.Sequence subject = sequences.newSequence();
                TestingSequences.Sequence[] others = new TestingSequences.Sequence[OTHERS];
                Arrays.setAll(others, i -> sequences.newSequence());
                int row = 0;
                for (int from = 0; from < PROMPT; from += 25) {
                    sequences.begin();
                    // The others start one after another: some prefill while others decode.
                    for (int i = 0; i < OTHERS; i++) {
                        int length = others[i].length;
                        int count = length == 0 ? 1 + 3 * i : 1;
                        sequences.add(others[i], other, length, length + count);
                        if (i == from / 25 * 3) {
                            row = sequences.add(subject, tokens, from, from + 25);
                        }
                    }
                    sequences.run();
                }
                assertThat(sequences.result.logits[row]).containsExactly(alone);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "qwen2", "qwen3", "gemma3"})
    void longContextsThatAreSplitOverThreadsGiveTheSameBits(String architecture) throws IOException {
        try (GgufModel model = TestingModels.generate(folder, TestingModels.wideHeads(architecture, 13))) {
            float[] expected = decodeAfter(TestingModels.spec(model, 1), TestingModels.scalar());
            for (int threads = 1; threads <= 4; threads++) {
                assertThat(decodeAfter(TestingModels.spec(model, threads), TestingModels.vector()))
                        .as("%d threads", threads)
                        .containsExactly(expected);
            }
        }
    }

    private static float[] decodeAfter(InstanceSpec spec, Kernels kernels) {
        try (ModelInstance instance = TestingModels.load(spec, kernels)) {
            TestingSequences sequences = new TestingSequences(spec, instance);
            TestingSequences.Sequence sequence = sequences.newSequence();
            int length = SplitAttention.POSITIONS_MIN + 45;
            int[] tokens = TestingModels.tokens(4, length, instance.modelSpec().vocabSize());
            sequences.prefill(sequence, tokens, 512);
            sequences.decode(sequence, 3);
            return sequences.decode(sequence, 4);
        }
    }

    @ParameterizedTest
    @EnumSource(TensorType.class)
    void everyFormatGivesTheBitsOfItsFloatCopy(TensorType type) throws IOException {
        try (GgufModel model = TestingModels.generate(folder, TestingModels.quantized(type, 21))) {
            Path copy = folder.resolve("copy.gguf");
            ModelCopy.toF32(model.file(), copy);
            try (GgufModel floats = GgufModel.open(copy)) {
                float[] expected = run(TestingModels.spec(floats, 1), TestingModels.scalar(), 512);
                assertThat(run(TestingModels.spec(model, 2), TestingModels.vector(), 512))
                        .containsExactly(expected);
                assertThat(run(TestingModels.spec(model, 1), TestingModels.vector(), 1))
                        .containsExactly(expected);
                assertThat(run(TestingModels.spec(model, 1), TestingModels.scalar(), 32))
                        .containsExactly(expected);
            }
        }
    }

    private static float[] run(InstanceSpec spec, Kernels kernels, int chunk) {
        try (ModelInstance instance = TestingModels.load(spec, kernels)) {
            TestingSequences sequences = new TestingSequences(spec, instance);
            int[] tokens = TestingModels.tokens(1, PROMPT, instance.modelSpec().vocabSize());
            return sequences.prefill(sequences.newSequence(), tokens, chunk);
        }
    }
}
