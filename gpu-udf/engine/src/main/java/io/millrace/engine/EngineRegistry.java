package io.millrace.engine;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The engines of a process, one for each key. Users hold an engine; one that nobody holds lingers for a while, so
 * that a job that restarts finds its weights and blocks where it left them.
 */
public final class EngineRegistry {
    private static final EngineRegistry SHARED = new EngineRegistry(
            System::nanoTime,
            (delay, action) -> CompletableFuture.delayedExecutor(delay.toNanos(), TimeUnit.NANOSECONDS)
                    .execute(action));

    private final LongSupplier nanoClock;
    private final Timer timer;
    private final Map<EngineKey, Entry> entries = new HashMap<>();

    /** Runs an action some time later, on any thread. */
    @FunctionalInterface
    public interface Timer {
        void schedule(Duration delay, Runnable action);
    }

    /** One engine, its users, and since when it has none. */
    private static final class Entry {
        final CompletableFuture<Engine> engine = new CompletableFuture<>();
        int holds;
        long idleSinceNanos;
        Duration linger = Duration.ZERO;
    }

    /** A registry without engines. */
    public EngineRegistry(LongSupplier nanoClock, Timer timer) {
        this.nanoClock = requireNonNull(nanoClock, "nanoClock");
        this.timer = requireNonNull(timer, "timer");
    }

    /** The one registry of the process: of the class loader, to be exact, so put this class where jobs share it. */
    public static EngineRegistry shared() {
        return SHARED;
    }

    /**
     * Holds the engine of a key. The first who asks loads it, on its own thread; others wait for that.
     *
     * @param linger how long the engine stays once nobody holds it; the latest caller's word counts
     * @throws RuntimeException whatever the loader throws, to everyone who waited for it; the next call loads anew
     */
    public EngineHold acquire(EngineKey key, Duration linger, Supplier<Engine> loader) {
        Entry entry;
        boolean loads;
        synchronized (entries) {
            Entry existing = entries.get(key);
            // An engine that ended by itself is of no use to anyone new. Whoever holds it lets go of it on its own.
            boolean usable = existing != null
                    && !(isLoaded(existing) && existing.engine.join().isClosed());
            entry = usable && existing != null ? existing : new Entry();
            loads = entry != existing;
            entry.holds++;
            entry.linger = requireNonNull(linger, "linger");
            entries.put(key, entry);
        }
        if (loads) {
            load(key, entry, loader);
        }
        return new EngineHold(await(entry), () -> release(entry));
    }

    /** Closes engines that nobody has held for their time. Returns how many. */
    public int closeIdle() {
        List<Engine> idle = new ArrayList<>();
        synchronized (entries) {
            long nowNanos = nanoClock.getAsLong();
            for (Iterator<Entry> all = entries.values().iterator(); all.hasNext(); ) {
                Entry entry = all.next();
                if (entry.holds == 0 && nowNanos - entry.idleSinceNanos >= entry.linger.toNanos()) {
                    idle.add(entry.engine.join());
                    all.remove();
                }
            }
        }
        idle.forEach(Engine::close);
        return idle.size();
    }

    /** Number of engines, those that are being loaded included. */
    public int size() {
        synchronized (entries) {
            return entries.size();
        }
    }

    private void load(EngineKey key, Entry entry, Supplier<Engine> loader) {
        try {
            entry.engine.complete(requireNonNull(loader.get(), "the loader's engine"));
        } catch (RuntimeException | Error e) {
            synchronized (entries) {
                entries.remove(key, entry);
            }
            entry.engine.completeExceptionally(e);
        }
    }

    private static Engine await(Entry entry) {
        try {
            return entry.engine.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            if (e.getCause() instanceof Error cause) {
                throw cause;
            }
            throw e;
        }
    }

    private void release(Entry entry) {
        Duration linger;
        synchronized (entries) {
            entry.holds--;
            if (entry.holds > 0) {
                return;
            }
            entry.idleSinceNanos = nanoClock.getAsLong();
            linger = entry.linger;
        }
        if (linger.isZero()) {
            closeIdle();
        } else {
            timer.schedule(linger, this::closeIdle);
        }
    }

    private static boolean isLoaded(Entry entry) {
        return entry.engine.isDone() && !entry.engine.isCompletedExceptionally();
    }
}
