package io.millrace.engine.testing;

import io.millrace.engine.EngineLease;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.StepOutput;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Collects what an engine says of each sequence. Safe for several threads. */
public final class TestingListener implements EngineLease.StepListener {
    private final List<StepOutput> outputs = new ArrayList<>();
    private final Map<String, List<SequenceEvent>> events = new LinkedHashMap<>();

    @Override
    public synchronized void onStep(StepOutput output) {
        outputs.add(output);
        for (SequenceEvent event : output.events()) {
            events.computeIfAbsent(event.sequenceId(), id -> new ArrayList<>()).add(event);
        }
        notifyAll();
    }

    /** Takes the outputs that came since the last call, to acknowledge them. */
    public synchronized List<StepOutput> takeOutputs() {
        List<StepOutput> taken = List.copyOf(outputs);
        outputs.clear();
        return taken;
    }

    /** Everything that was said of a sequence. */
    public synchronized List<SequenceEvent> events(String sequenceId) {
        return List.copyOf(events.getOrDefault(sequenceId, List.of()));
    }

    /** The tokens of a sequence's output so far. */
    public synchronized List<Integer> tokens(String sequenceId) {
        List<Integer> tokens = new ArrayList<>();
        for (SequenceEvent event : events(sequenceId)) {
            if (event instanceof SequenceEvent.Token token) {
                tokens.add(token.tokenId());
            }
        }
        return tokens;
    }

    /** The last that was said of a sequence. */
    public synchronized SequenceEvent lastEvent(String sequenceId) {
        List<SequenceEvent> all = events(sequenceId);
        if (all.isEmpty()) {
            throw new AssertionError("nothing was said of sequence " + sequenceId);
        }
        return all.get(all.size() - 1);
    }

    /** Whether a sequence has ended. */
    public synchronized boolean hasEnded(String sequenceId) {
        List<SequenceEvent> all = events(sequenceId);
        return !all.isEmpty()
                && !(all.get(all.size() - 1) instanceof SequenceEvent.Token)
                && !(all.get(all.size() - 1) instanceof SequenceEvent.Advanced);
    }

    /** Waits until a sequence has ended. */
    public synchronized void awaitEnd(String sequenceId, long timeoutMs) throws InterruptedException {
        long deadlineNanos = System.nanoTime() + timeoutMs * 1_000_000;
        while (!hasEnded(sequenceId)) {
            long leftMs = (deadlineNanos - System.nanoTime()) / 1_000_000;
            if (leftMs <= 0) {
                throw new AssertionError("sequence " + sequenceId + " has not ended: " + events(sequenceId));
            }
            wait(leftMs);
        }
    }
}
