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
    /** The name that stands for {@link #DEVICE} where that finds a device, and for {@link #HOST} elsewhere. */
    public static final String AUTO = "auto";

    /** The backend that is preferred. */
    public static final String DEVICE = "cuda";

    /** The backend that runs everywhere. */
    public static final String HOST = "cpu";

    private final Map<String, Backend> installed = new TreeMap<>();
    private final Map<String, BackendAvailability> availabilities = new TreeMap<>();
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

    /** Chooses among the backends that {@link ServiceLoader} knows, as {@link #choose} does. */
    public static BackendChoice chosen(String name) {
        return Shared.BACKENDS.choose(name);
    }

    /**
     * Chooses the backend that a name stands for.
     *
     * @param name a backend's, or {@link #AUTO}
     * @throws ServingException {@code UNAVAILABLE} if there is none of this name, or it has no device, with what is
     *     missing
     */
    public synchronized BackendChoice choose(String name) {
        if (!name.equals(AUTO)) {
            BackendAvailability named = check(name);
            return new BackendChoice(name, named.deviceCount(), "it is the one that is asked for");
        }
        if (!installed.containsKey(DEVICE)) {
            return new BackendChoice(HOST, check(HOST).deviceCount(), "no backend " + DEVICE + " is installed");
        }
        BackendAvailability device = availability(DEVICE);
        return device.isAvailable()
                ? new BackendChoice(DEVICE, device.deviceCount(), "it finds " + device.detail())
                : new BackendChoice(
                        HOST, check(HOST).deviceCount(), "backend " + DEVICE + " cannot run here: " + device.detail());
    }

    /**
     * Returns an initialised backend.
     *
     * @throws ServingException {@code UNAVAILABLE} naming those there are, if there is none of this name; or with what
     *     is missing, if it has no device
     */
    public synchronized Backend get(String name) {
        check(name);
        Backend backend = installed(name);
        if (!initialized.containsKey(name)) {
            backend.initialize();
            initialized.put(name, backend);
        }
        return backend;
    }

    private BackendAvailability check(String name) {
        BackendAvailability availability = availability(name);
        if (!availability.isAvailable()) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE, "backend " + name + " cannot run here: " + availability.detail());
        }
        return availability;
    }

    /** Found out once: what a process runs on does not come and go. */
    private BackendAvailability availability(String name) {
        Backend backend = installed(name);
        return availabilities.computeIfAbsent(name, none -> backend.availability());
    }

    private Backend installed(String name) {
        Backend backend = installed.get(name);
        if (backend == null) {
            throw new ServingException(
                    ErrorCode.UNAVAILABLE, "there is no backend named " + name + "; there are " + installed.keySet());
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
