/** The suite of durable sessions: what tiers, checkpoints and recovery cost, and what they save. */
@NullMarked
package io.millrace.bench.durability;

import org.jspecify.annotations.NullMarked;
