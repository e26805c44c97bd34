package io.millrace.operators.prefill;

import java.util.HashMap;
import java.util.Map;

/**
 * Prompt tokens that were left to each subtask of Decode and are not computed there yet, by a guess: that it computes
 * them one after the other, as fast as Prefill's engine would. Used on the task thread.
 */
final class PassedWork {
    private static final double NANOS_PER_SECOND = 1e9;

    private final Map<Integer, Queue> byTarget = new HashMap<>();

    private static final class Queue {
        double tokens;
        long atNanos;
    }

    /** Tokens that a target has to compute now, at a rate of tokens a second. */
    long queuedTokens(int target, long nowNanos, double tokensPerSecond) {
        Queue queue = byTarget.get(target);
        return queue == null ? 0 : (long) at(queue, nowNanos, tokensPerSecond);
    }

    /** So many tokens were left to a target. */
    void add(int target, int tokens, long nowNanos, double tokensPerSecond) {
        Queue queue = byTarget.computeIfAbsent(target, any -> new Queue());
        queue.tokens = at(queue, nowNanos, tokensPerSecond) + tokens;
        queue.atNanos = nowNanos;
    }

    private static double at(Queue queue, long nowNanos, double tokensPerSecond) {
        double done = (nowNanos - queue.atNanos) / NANOS_PER_SECOND * tokensPerSecond;
        return Math.max(0, queue.tokens - Math.max(0, done));
    }
}
