package io.millrace.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.millrace.backend.cuda.testing.EmulatedDevice;
import io.millrace.backend.cuda.testing.EmulatedDevices;
import io.millrace.backend.cuda.testing.EmulationLibrary;
import io.millrace.engine.Engine;
import io.millrace.engine.EngineLease;
import io.millrace.engine.EngineOptions;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceEvent.Failed;
import io.millrace.engine.backend.DeviceLostException;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.engine.testing.TestingListener;
import io.millrace.engine.testing.TestingRequests;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.model.GgufModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of instances and engines when a device has too little memory, or is lost. */
class FaultsTest {
    @TempDir
    Path folder;

    private final List<EmulatedDevice> opened = new ArrayList<>();

    @BeforeEach
    void isBuilt() {
        assumeTrue(EmulationLibrary.isBuilt(), "the CUDA kernels were not compiled for the host: there was no g++");
    }

    private CudaBackend backend(long memoryBytes) {
        return new CudaBackend("cuda-emulated", new EmulatedDevices(memoryBytes, device -> {
            opened.add((EmulatedDevice) device);
            return device;
        }));
    }

    private GgufModel model() throws IOException {
        return TestingModels.generate(folder, BackendChecks.wide("llama"));
    }

    @Test
    void tooLittleMemoryForWeightsSaysWhatIsNeededAndWhatThereIs() throws IOException {
        try (GgufModel model = model()) {
            assertThatThrownBy(() -> backend(1 << 20).load(TestingModels.spec(model, Map.of())))
                    .isInstanceOf(ServingException.class)
                    .hasMessageMatching(".* needs \\d+ MiB for weights and \\d+ MiB for steps, but of the 1 MiB of "
                            + "emulated device only 1 MiB are free");
        }
    }

    @Test
    void tooLittleMemoryForBlocksSaysWhatIsNeededAndWhatThereIs() throws IOException {
        try (GgufModel model = model()) {
            long memoryBytes;
            try (ModelInstance fits = backend(1L << 30).load(TestingModels.spec(model, Map.of()))) {
                memoryBytes = (1L << 30) - opened.get(0).freeBytes() - 1;
                assertThat(fits.blockCount()).isEqualTo(TestingModels.BLOCKS);
            }
            assertThatThrownBy(() -> backend(memoryBytes).load(TestingModels.spec(model, Map.of())))
                    .isInstanceOf(ServingException.class)
                    .hasMessageContaining("96 KV blocks need 3 MiB, and 3 MiB of device memory are free");
        }
    }

    @Test
    void aLostDeviceEndsTheEngineAndItsTurnsFail() throws Exception {
        GgufModel model = model();
        ModelInstance instance = backend(1L << 30).load(TestingModels.spec(model, Map.of()));
        EngineOptions options = EngineOptions.of("testing", Set.of(), 200).withLimits(48, 6, 16);
        try (Engine engine = new Engine(options, instance, model)) {
            TestingListener listener = new TestingListener();
            EngineLease lease = engine.lease("testing", listener, Integer.MAX_VALUE);
            engine.start(Thread::new);
            lease.submit(TestingRequests.generate("s", new int[] {5, 6, 7}, SamplingParameters.greedy(3)));
            listener.awaitEnd("s", 30_000);
            assertThat(listener.tokens("s")).hasSize(3);
            opened.get(0).fail("a kernel's fault");
            lease.submit(TestingRequests.generate("t", new int[] {5, 6, 7}, SamplingParameters.greedy(3)));
            listener.awaitEnd("t", 30_000);
            assertThat(listener.lastEvent("t")).isInstanceOfSatisfying(Failed.class, failed -> {
                assertThat(failed.code()).isEqualTo(ErrorCode.INTERNAL);
                assertThat(failed.message()).contains("a kernel's fault");
            });
            assertThat(engine.isClosed()).isTrue();
        }
        assertThatThrownBy(() -> instance.readBlock(0, ByteBuffer.allocate(1 << 20)))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void whatFailsAfterAFaultSaysThatTheDeviceIsLost() throws IOException {
        try (GgufModel model = model();
                ModelInstance instance = backend(1L << 30).load(TestingModels.spec(model, Map.of()))) {
            TestingSequences sequences = new TestingSequences(BackendChecks.limits(model), instance);
            sequences.decode(sequences.newSequence(), 3);
            opened.get(0).fail("an illegal address");
            assertThatThrownBy(() -> sequences.decode(sequences.newSequence(), 3))
                    .isInstanceOf(DeviceLostException.class)
                    .hasMessageContaining("an illegal address");
        }
    }

    @Test
    void closingWaitsForCopiesThatRun() throws Exception {
        try (GgufModel model = model()) {
            ModelInstance instance = backend(1L << 30).load(TestingModels.spec(model, Map.of()));
            int bytes = instance.kvLayout().blockBytes();
            List<Thread> threads = new ArrayList<>();
            List<Throwable> failures = new ArrayList<>();
            CountDownLatch copied = new CountDownLatch(6);
            for (int i = 0; i < 6; i++) {
                int block = i;
                Thread thread = new Thread(() -> {
                    ByteBuffer memory = ByteBuffer.allocateDirect(bytes);
                    try {
                        while (true) {
                            instance.readBlock(block, memory.clear());
                            instance.writeBlock(block, memory.flip());
                            copied.countDown();
                        }
                    } catch (IllegalStateException e) {
                        copied.countDown();
                    } catch (RuntimeException | Error e) {
                        synchronized (failures) {
                            failures.add(e);
                        }
                    }
                });
                threads.add(thread);
                thread.start();
            }
            copied.await();
            instance.close();
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(failures).isEmpty();
            assertThat(opened.get(0).hostPieces()).isZero();
        }
    }
}
