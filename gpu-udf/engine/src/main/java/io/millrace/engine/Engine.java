package io.millrace.engine;

/** One model on one device: weights, block pool, prefix index, and one thread that forms batches and runs them. */
public final class Engine implements AutoCloseable {
    /**
     * Takes a hold on the engine.
     *
     * @param name for metrics and errors, such as {@code decode-0}
     * @param listener gets the outputs of the steps
     * @param maxUnacknowledgedSteps outputs that may be under way to the listener before its sequences wait
     */
    public EngineLease lease(String name, EngineLease.StepListener listener, int maxUnacknowledgedSteps) {
        throw new UnsupportedOperationException(name);
    }

    @Override
    public void close() {}
}
