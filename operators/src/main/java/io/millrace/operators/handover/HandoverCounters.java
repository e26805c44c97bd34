package io.millrace.operators.handover;

import io.millrace.operators.SecondsHistogram;
import java.util.concurrent.atomic.LongAdder;

/** What was handed over since a subtask was opened, on its side. Any thread. */
public final class HandoverCounters {
    final LongAdder sentBlocks = new LongAdder();
    final LongAdder sentBytes = new LongAdder();
    final LongAdder skippedBlocks = new LongAdder();
    final LongAdder goneBlocks = new LongAdder();
    final LongAdder openNanos = new LongAdder();
    final LongAdder exposedNanos = new LongAdder();
    final SecondsHistogram copySeconds = new SecondsHistogram();
    final SecondsHistogram exposedSeconds = new SecondsHistogram();

    final LongAdder receivedBlocks = new LongAdder();
    final LongAdder receivedBytes = new LongAdder();
    final LongAdder receiveNanos = new LongAdder();
    final LongAdder insertedBlocks = new LongAdder();
    final LongAdder knownBlocks = new LongAdder();
    final LongAdder damagedBlocks = new LongAdder();
    final LongAdder incompleteBlocks = new LongAdder();
    final LongAdder refusedBlocks = new LongAdder();

    /** Share of the time of sending that passed while prompts were computed; 1 where nothing was sent. */
    double hiddenRatio() {
        long open = openNanos.sum();
        return open == 0 ? 1 : 1 - (double) exposedNanos.sum() / open;
    }
}
