package io.millrace.engine.backend;

/**
 * A kind of device that runs models, found with {@link java.util.ServiceLoader}. Its life is that of a Triton backend:
 * {@link #initialize} once a process, {@link #load} for each model instance, {@link ModelInstance#execute} for each
 * batch, {@link ModelInstance#close}, and {@link #shutDown} at the end (Triton's "finalize").
 */
public interface Backend {
    /** The name that a model's {@code config.pbtxt} and the options refer to, such as {@code cpu}. */
    String name();

    /**
     * Whether it can run models here, and on how many devices. Any thread, before {@link #initialize} or after it; does
     * not throw, and takes no more of a device than it needs to find it.
     */
    default BackendAvailability availability() {
        return BackendAvailability.devices(1, "this process");
    }

    /** Prepares the backend. Called once, before the first {@link #load}. */
    void initialize();

    /**
     * Loads one instance of a model onto a device.
     *
     * @throws io.millrace.kv.ServingException if the model cannot be run here, with what was missing
     */
    ModelInstance load(InstanceSpec spec);

    /** Gives back whatever {@link #initialize} took. Instances are closed before. */
    void shutDown();
}
