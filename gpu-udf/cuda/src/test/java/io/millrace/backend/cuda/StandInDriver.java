package io.millrace.backend.cuda;

import io.millrace.backend.cuda.testing.EmulatedDevices;
import io.millrace.engine.backend.DeviceLostException;
import io.millrace.engine.backend.ModelInstance;
import io.millrace.model.GgufModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Runs a model by JCuda's binding, in a process of its own whose driver is {@code driver.cc}: arguments are a folder and
 * the launch that is to fail, or 0. Ends with 0 if all is as on the emulated device.
 */
final class StandInDriver {
    private static final int PROMPT = 100;

    private StandInDriver() {}

    public static void main(String[] arguments) throws IOException {
        boolean fails = !arguments[1].equals("0");
        CudaBackend backend = new CudaBackend();
        check(backend.availability().isAvailable(), backend.availability().detail());
        try (GgufModel model = TestingModels.generate(Path.of(arguments[0]), BackendChecks.wide("qwen3"))) {
            float[] expected = prefill(new CudaBackend("emulated", new EmulatedDevices()), model, PROMPT);
            boolean lost = false;
            try {
                check(Arrays.equals(expected, prefill(backend, model, PROMPT)), "a prompt at once");
                check(Arrays.equals(expected, prefill(backend, model, 1)), "a token a step, in graphs");
            } catch (DeviceLostException e) {
                lost = true;
                check(e.getMessage().contains("CUDA_ERROR_ILLEGAL_ADDRESS"), String.valueOf(e.getMessage()));
            }
            check(lost == fails, lost ? "the device is lost" : "no launch failed");
            // A fault ends its context, and not the process.
            check(Arrays.equals(expected, prefill(backend, model, PROMPT)), "another instance");
            copyBlocks(backend, model);
        }
    }

    private static float[] prefill(CudaBackend backend, GgufModel model, int chunk) {
        try (ModelInstance instance = backend.load(TestingModels.spec(model, Map.of()))) {
            TestingSequences sequences = new TestingSequences(BackendChecks.limits(model), instance);
            int[] tokens = TestingModels.tokens(1, PROMPT, model.spec().vocabSize());
            return sequences.prefill(sequences.newSequence(), tokens, chunk);
        }
    }

    private static void copyBlocks(CudaBackend backend, GgufModel model) {
        try (ModelInstance instance = backend.load(TestingModels.spec(model, Map.of()))) {
            int bytes = instance.kvLayout().blockBytes();
            ByteBuffer written = ByteBuffer.allocate(bytes);
            for (int i = 0; i < bytes; i++) {
                written.put(i, (byte) (i * 31));
            }
            ByteBuffer locked = ByteBuffer.allocateDirect(bytes + 8);
            Runnable unlock = instance.pageLock(List.of(locked));
            instance.writeBlock(3, written);
            instance.readBlock(3, locked.position(8));
            check(locked.position(8).equals(written), "a block to page-locked memory");
            instance.writeBlock(5, locked);
            ByteBuffer read = ByteBuffer.allocate(bytes);
            instance.readBlock(5, read);
            check(read.flip().equals(written), "a block from page-locked memory");
            unlock.run();
        }
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("wrong: " + what);
        }
    }
}
