package io.millrace.operators;

import io.millrace.engine.EngineLease;
import java.io.Serializable;

/** Where an operator gets its engine from. Travels with the job graph, so it names the engine and does not hold it. */
@FunctionalInterface
public interface EngineSource extends Serializable {
    /**
     * Takes a hold on the engine, which is made first if the process has none.
     *
     * @param name for metrics and errors, such as {@code decode-0}
     * @param listener gets the outputs of the steps, on the engine's thread
     * @param maxUnacknowledgedSteps outputs that may be under way before the lease's sequences wait
     */
    EngineLease lease(String name, EngineLease.StepListener listener, int maxUnacknowledgedSteps);

    /**
     * This source for a subtask at a place, which decides the device of its engine where the settings leave it open.
     */
    default EngineSource at(DevicePlace place) {
        return this;
    }
}
