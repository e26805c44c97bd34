package io.millrace.durability;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The failures of one run, one after the other: each waits for the one before it, counts the passes of its point from
 * then on, and fails one of them. Found by the run's name, since what travels with a job graph is serialised. Safe for
 * use by several threads.
 */
public final class Faults implements AutoCloseable {
    private static final Map<String, Faults> OPEN = new ConcurrentHashMap<>();

    private final String run;
    private final Queue<Fault> plan;
    private final Loads loads;
    private final List<Fault> injected = new ArrayList<>();
    private final Map<FaultPoint, Long> passes = new EnumMap<>(FaultPoint.class);
    private @Nullable Fault next;
    private long passesLeft;

    /**
     * A failure to come.
     *
     * @param point where
     * @param pass which pass of the point fails, from 1, counted since the failure before this one
     */
    public record Fault(FaultPoint point, long pass) {
        public Fault {
            requireNonNull(point, "point");
            if (pass < 1) {
                throw new IllegalArgumentException("a fault needs a pass of at least 1: " + pass);
            }
        }

        @Override
        public String toString() {
            return point + "#" + pass;
        }
    }

    private Faults(String run, List<Fault> plan, Loads loads) {
        this.run = run;
        this.loads = loads;
        this.plan = new ArrayDeque<>(plan);
        arm();
    }

    /** Plans the failures of a run; its name is free again when this is closed. */
    public static Faults open(String run, List<Fault> plan, Loads loads) {
        Faults faults = new Faults(requireNonNull(run, "run"), plan, requireNonNull(loads, "loads"));
        if (OPEN.putIfAbsent(run, faults) != null) {
            throw new IllegalStateException("a run named '" + run + "' is open already");
        }
        return faults;
    }

    /** The failures of an open run. */
    public static Faults of(String run) {
        return requireNonNull(OPEN.get(run), run);
    }

    /** Those of a run that may have ended; null then. */
    static @Nullable Faults find(String run) {
        return OPEN.get(run);
    }

    /** What the run's engines load. */
    public Loads loads() {
        return loads;
    }

    /** Passes a point, or fails there. */
    public void pass(FaultPoint point) {
        if (isDue(point)) {
            throw new InjectedFailure("a failure on purpose at " + point + " of " + run);
        }
    }

    /** Passes a point where it is I/O that fails. */
    public void passIo(FaultPoint point) throws IOException {
        if (isDue(point)) {
            throw new IOException("a failure on purpose at " + point + " of " + run);
        }
    }

    /** Adds a failure behind those that are planned. */
    public synchronized void add(Fault fault) {
        plan.add(fault);
        if (next == null) {
            arm();
        }
    }

    /** Plans no more failures. */
    public synchronized void clear() {
        plan.clear();
        next = null;
    }

    /** The failures that there were. */
    public synchronized List<Fault> injected() {
        return List.copyOf(injected);
    }

    /** How often each point was passed. */
    public synchronized Map<FaultPoint, Long> passes() {
        return new EnumMap<>(passes);
    }

    @Override
    public void close() {
        OPEN.remove(run, this);
    }

    private synchronized boolean isDue(FaultPoint point) {
        passes.merge(point, 1L, Long::sum);
        Fault fault = next;
        if (fault == null || fault.point() != point || --passesLeft > 0) {
            return false;
        }
        injected.add(fault);
        arm();
        return true;
    }

    private void arm() {
        next = plan.poll();
        passesLeft = next == null ? 0 : next.pass();
    }
}
