package io.millrace.operators.tiers;

/** Whether blocks that a tier holds are loaded or computed again. No output depends on it. */
public enum LoadPolicy {
    /** What is faster, by the measured rates. */
    MEASURED,
    /** Whatever a tier holds is loaded. */
    ALWAYS,
    /** Nothing is loaded. */
    NEVER
}
