package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

/**
 * Decides whether blocks are loaded or computed: whichever ends earlier, with what waits in front of each.
 *
 * <pre>
 *   load    = (queued + own bytes of HOST) / its rate + (queued + own bytes of STATE) / its rate
 *   compute = (queued + own prompt tokens) / the engine's rate
 * </pre>
 *
 * <p>Rates are those measured. A rate of loading is measured by loads only, so one wrong measurement could end them for
 * ever: one of every {@value #PROBE_INTERVAL} that would be computed is loaded, to measure again. The engine's rate is
 * measured all the time. Used by one thread.
 */
final class LoadDecision {
    /** Of so many decisions against loading, one is not followed. */
    static final int PROBE_INTERVAL = 32;

    private final LoadPolicy policy;
    private int decidedToCompute;

    LoadDecision(LoadPolicy policy) {
        this.policy = requireNonNull(policy, "policy");
    }

    /**
     * What there is to do, each with what waits in front of it.
     *
     * @param hostBytes bytes to load from HOST
     * @param stateBytes bytes to load from STATE
     * @param tokens prompt tokens to compute
     */
    record Work(long hostBytes, long stateBytes, long tokens) {}

    /** What can be done in a second. */
    record Rates(double hostBytes, double stateBytes, double tokens) {}

    /** Whether to load. */
    boolean loads(Work work, Rates rates) {
        return switch (policy) {
            case ALWAYS -> true;
            case NEVER -> false;
            case MEASURED -> loadSeconds(work, rates) < computeSeconds(work, rates) || isProbe();
        };
    }

    static double loadSeconds(Work work, Rates rates) {
        return work.hostBytes() / rates.hostBytes() + work.stateBytes() / rates.stateBytes();
    }

    static double computeSeconds(Work work, Rates rates) {
        return work.tokens() / rates.tokens();
    }

    private boolean isProbe() {
        decidedToCompute++;
        if (decidedToCompute < PROBE_INTERVAL) {
            return false;
        }
        decidedToCompute = 0;
        return true;
    }
}
