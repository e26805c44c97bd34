package io.millrace.bench.engine;

/**
 * Seconds to the first token of a second turn.
 *
 * @param cachedSeconds with the first turn's context in the cache
 * @param uncachedSeconds with nothing there
 */
record FollowUp(double cachedSeconds, double uncachedSeconds) {}
