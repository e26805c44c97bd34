package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.atomic.AtomicBoolean;

/** One user's hold on an engine of a registry: while it lasts the engine stays. Closing it again does nothing. */
public final class EngineHold implements AutoCloseable {
    private final Engine engine;
    private final Runnable release;
    private final AtomicBoolean released = new AtomicBoolean();

    EngineHold(Engine engine, Runnable release) {
        this.engine = requireNonNull(engine, "engine");
        this.release = requireNonNull(release, "release");
    }

    /** The engine. */
    public Engine engine() {
        return engine;
    }

    @Override
    public void close() {
        if (released.compareAndSet(false, true)) {
            release.run();
        }
    }
}
