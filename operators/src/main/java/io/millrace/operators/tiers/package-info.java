/**
 * Decode's sessions in the tiers below the device: what is saved when, where a turn finds its context again, and what
 * is given up first.
 */
@org.jspecify.annotations.NullMarked
package io.millrace.operators.tiers;
