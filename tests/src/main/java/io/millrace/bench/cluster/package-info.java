/** {@code ./millrace bench cluster}: what lies between the engine's tokens and clients, and what a failure costs. */
@org.jspecify.annotations.NullMarked
package io.millrace.bench.cluster;
