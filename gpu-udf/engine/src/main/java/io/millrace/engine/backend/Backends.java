package io.millrace.engine.backend;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;

/** The backends of a process, by name. Each is initialised when it is asked for first. */
public final class Backends implements AutoCloseable {
    private final Map<String, Backend> installed = new TreeMap<>();
    private final Map<String, Backend> initialized = new LinkedHashMap<>();

    /** Holds the process's backends; made when the first is asked for. */
    private static final class Shared {
        static final Backends BACKENDS =
                new Backends(ServiceLoader.load(Backend.class, Backends.class.getClassLoader()).stream()
                        .map(ServiceLoader.Provider::get)
                        .toList());
    }

    /**
     * Backends to choose from.
     *
     * @throws IllegalArgumentException if two have one name
     */
    public Backends(Collection<Backend> backends) {
        for (Backend backend : backends) {
            Backend other = installed.put(backend.name(), backend);
            if (other != null) {
                throw new IllegalArgumentException("two backends are named " + backend.name() + ": "
                        + other.getClass().getName() + " and "
                        + backend.getClass().getName());
            }
        }
    }

    /** Finds one of the backends that {@link ServiceLoader} knows, as {@link #get} does. */
    public static Backend find(String name) {
        return Shared.BACKENDS.get(name);
    }

    /**
     * Returns an initialised backend.
     *
     * @throws ServingException {@code UNAVAILABLE} naming those there are, if there is none of this name
     */
    public synchronized Backend get(String name) {
        Backend backend = installed.get(name);
        if (backend == null) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE, "there is no backend named " + name + "; there are " + installed.keySet());
        }
        if (!initialized.containsKey(name)) {
            backend.initialize();
            initialized.put(name, backend);
        }
        return backend;
    }

    /** Shuts down those that were initialised. Their instances are closed before. */
    @Override
    public synchronized void close() {
        initialized.values().forEach(Backend::shutDown);
        initialized.clear();
    }
}
