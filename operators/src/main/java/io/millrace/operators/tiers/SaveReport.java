package io.millrace.operators.tiers;

/**
 * What saving everything has written.
 *
 * @param sessions sessions of which something was written
 * @param blocks blocks written
 * @param bytes bytes of their values
 * @param skippedBlocks blocks that were not written: they are nowhere any more, or writing failed
 */
public record SaveReport(int sessions, long blocks, long bytes, long skippedBlocks) {}
