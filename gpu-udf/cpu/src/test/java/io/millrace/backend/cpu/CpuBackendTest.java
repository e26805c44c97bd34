package io.millrace.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.engine.backend.Backend;
import io.millrace.engine.backend.Batch;
import io.millrace.engine.backend.ForwardResult;
import io.millrace.engine.backend.InstanceSpec;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.kv.ServingException;
import io.millrace.model.GeneratedModel;
import io.millrace.model.GgufModel;
import java.io.IOException;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuBackendTest {
    @TempDir
    Path folder;

    @Test
    void serviceLoaderFindsIt() {
        assertThat(ServiceLoader.load(Backend.class)).extracting(Backend::name).contains("cpu");
    }

    @Test
    void vectorKernelsAreChosenWhereTheModuleIs() {
        assertThat(TestingModels.vector().name()).startsWith("vector");
    }

    @Test
    void warmUpSaysWhatItMeasuredAndLeavesTheInstanceUsable() throws IOException {
        try (GgufModel model = TestingModels.generate(folder, GeneratedModel.Options.tiny("llama", 3))) {
            InstanceSpec spec = new InstanceSpec(model, 4, 32, 64, 4, 128, 0, 2);
            List<String> lines = new ArrayList<>();
            try (ModelInstance instance = TestingModels.load(spec, TestingModels.scalar())) {
                TestingSequences cold = new TestingSequences(spec, instance);
                float[] before = cold.prefill(cold.newSequence(), new int[] {1, 2, 3, 4, 5}, 5);
                instance.warmUp(lines::add);
                TestingSequences warm = new TestingSequences(spec, instance);
                assertThat(warm.prefill(warm.newSequence(), new int[] {1, 2, 3, 4, 5}, 5))
                        .containsExactly(before);
            }
            assertThat(lines).isNotEmpty();
            assertThat(lines.get(lines.size() - 1)).startsWith("warm after");
        }
    }

    @Test
    void indexesOutsideTheInstanceAreRefused() throws IOException {
        try (GgufModel model = TestingModels.generate(folder, GeneratedModel.Options.tiny("llama", 3))) {
            InstanceSpec spec = new InstanceSpec(model, 4, 32, 64, 4, 128, 0, 1);
            try (ModelInstance instance = TestingModels.load(spec, TestingModels.scalar())) {
                ForwardResult result = new ForwardResult(4, model.spec().vocabSize());
                Batch batch = new Batch(64, 4);
                batch.tokenCount = 1;
                batch.sequenceCount = 1;
                batch.queryStart[1] = 1;
                batch.contextLengths[0] = 1;
                batch.blockTableStart[1] = 1;
                batch.tokenIds[0] = model.spec().vocabSize();
                assertThatThrownBy(() -> instance.execute(batch, result)).hasMessageContaining("token id");
                batch.tokenIds[0] = 1;
                batch.slotMapping[0] = 128;
                assertThatThrownBy(() -> instance.execute(batch, result)).hasMessageContaining("slot");
                batch.slotMapping[0] = 0;
                batch.blockTables[0] = 4;
                assertThatThrownBy(() -> instance.execute(batch, result)).hasMessageContaining("block");
            }
        }
    }

    @Test
    void aBlockComesBackAsItWasWritten() throws IOException {
        try (GgufModel model = TestingModels.generate(folder, GeneratedModel.Options.tiny("llama", 3))) {
            ModelInstance instance =
                    TestingModels.load(new InstanceSpec(model, 4, 32, 64, 4, 128, 0, 1), TestingModels.scalar());
            int bytes = instance.kvLayout().blockBytes();
            byte[] content = new byte[bytes];
            Random random = new Random(5);
            random.nextBytes(content);
            ByteBuffer source = ByteBuffer.allocateDirect(bytes + 9).position(7).limit(bytes + 7);
            source.duplicate().put(content);
            instance.writeBlock(2, source);
            assertThat(source.position()).isEqualTo(7);
            for (ByteBuffer target : List.of(ByteBuffer.allocate(bytes + 3), ByteBuffer.allocateDirect(bytes + 3))) {
                instance.readBlock(2, target.position(1));
                assertThat(target.position()).isEqualTo(bytes + 1);
                byte[] back = new byte[bytes];
                target.get(1, back);
                assertThat(back).isEqualTo(content);
            }

            assertThatThrownBy(() -> instance.readBlock(4, ByteBuffer.allocate(bytes)))
                    .hasMessageContaining("block 4");
            assertThatThrownBy(() -> instance.readBlock(0, ByteBuffer.allocate(bytes - 1)))
                    .isInstanceOf(BufferOverflowException.class);
            assertThatThrownBy(() -> instance.writeBlock(0, ByteBuffer.allocate(bytes + 1)))
                    .hasMessageContaining("bytes");
            instance.close();
            assertThatThrownBy(() -> instance.readBlock(0, ByteBuffer.allocate(bytes)))
                    .isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> instance.writeBlock(0, ByteBuffer.allocate(bytes)))
                    .isInstanceOf(IllegalStateException.class);
        }
    }

    @Test
    void whatCannotFitIsRefusedBeforeItIsLoaded() throws IOException {
        try (GgufModel model = TestingModels.generate(folder, GeneratedModel.Options.tiny("llama", 3))) {
            InstanceSpec spec = new InstanceSpec(model, 50_000_000, 32, 64, 4, 128, 0, 1);
            assertThatThrownBy(() -> TestingModels.load(spec, TestingModels.scalar()))
                    .isInstanceOf(ServingException.class)
                    .hasMessageContaining("raise -Xmx");
        }
    }
}
