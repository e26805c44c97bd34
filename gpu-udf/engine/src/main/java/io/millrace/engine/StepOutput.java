package io.millrace.engine;

import java.util.List;

/**
 * What one step did to the sequences of one lease.
 *
 * @param stepId the engine's step
 * @param events in the order they happened
 */
public record StepOutput(long stepId, List<SequenceEvent> events) {}
