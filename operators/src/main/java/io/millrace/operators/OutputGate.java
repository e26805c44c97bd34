package io.millrace.operators;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.runtime.io.AvailabilityProvider;
import org.apache.flink.runtime.io.network.api.writer.ResultPartitionWriter;

/**
 * Says whether a task's output can take records. Emitting into a full output blocks the task thread, and with it every
 * mail and every checkpoint; so what comes from the engine waits until the gate is open.
 */
public final class OutputGate {
    private final List<? extends AvailabilityProvider> outputs;

    OutputGate(List<? extends AvailabilityProvider> outputs) {
        this.outputs = List.copyOf(outputs);
    }

    /** The gate of a task's network outputs; always open where the task's last operator is its sink. */
    public static OutputGate of(ResultPartitionWriter[] writers) {
        return new OutputGate(List.of(writers));
    }

    /** Whether every output has room. */
    public boolean isOpen() {
        for (AvailabilityProvider output : outputs) {
            if (!output.isAvailable()) {
                return false;
            }
        }
        return true;
    }

    /** Runs the action once, on whatever thread makes room, when the first of the full outputs has room again. */
    public void whenRoom(Runnable action) {
        requireNonNull(action, "action");
        for (AvailabilityProvider output : outputs) {
            CompletableFuture<?> available = output.getAvailableFuture();
            if (!available.isDone()) {
                available.thenRun(action);
                return;
            }
        }
        action.run();
    }
}
