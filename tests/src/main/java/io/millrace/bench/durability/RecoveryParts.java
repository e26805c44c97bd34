package io.millrace.bench.durability;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The time from the kill of a task to the first continued token at its client, cut at what happened between. All times
 * are of one clock, in nanoseconds. A cut that lies before the one in front of it counts as there: clocks of a coarser
 * grain say so of things that happen at once.
 *
 * @param killed when the task failed
 * @param noticed when Flink's job manager had it as failed
 * @param redeployed when it deployed the task again
 * @param resumed when the new task gave the engine the turn
 * @param sampled when the engine had the new task's first token
 * @param continued when the client had a token that it did not have before
 */
record RecoveryParts(long killed, long noticed, long redeployed, long resumed, long sampled, long continued) {
    /** Milliseconds of each part, in their order; they add up to {@link #totalMs}. */
    Map<String, Double> partsMs() {
        Map<String, Double> parts = new LinkedHashMap<>();
        long last = killed;
        last = part(parts, "failure_noticed", last, noticed);
        last = part(parts, "restart", last, redeployed);
        last = part(parts, "restore", last, resumed);
        last = part(parts, "load_or_compute", last, sampled);
        part(parts, "first_token", last, continued);
        return parts;
    }

    /** Milliseconds from the kill to the token. */
    double totalMs() {
        return (continued - killed) / 1e6;
    }

    private long part(Map<String, Double> parts, String name, long begin, long at) {
        long end = Math.max(begin, Math.min(at, continued));
        parts.put(name, (end - begin) / 1e6);
        return end;
    }
}
