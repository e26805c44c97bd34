package io.millrace.bench.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Admission;
import io.millrace.engine.EngineLease;
import io.millrace.engine.ForwardingLease;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.SequenceRequest;
import io.millrace.operators.EngineRole;
import io.millrace.operators.ModelText;
import io.millrace.operators.ServedModel;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** A served model that notes when the engine had each token of Decode's sequences. */
final class TimedModel implements ServedModel {
    private static final long serialVersionUID = 1L;
    private static final String DECODE = "decode";

    /** Of this process: an operator makes its own copy of the model, and can be given nothing else. */
    private static final Map<String, long[]> TIMES = new ConcurrentHashMap<>();

    private final ServedModel model;
    private final int maxTokens;

    /**
     * A model like another.
     *
     * @param maxTokens tokens of a turn that are noted; no turn has more
     */
    TimedModel(ServedModel model, int maxTokens) {
        this.model = requireNonNull(model, "model");
        this.maxTokens = maxTokens;
    }

    /** Forgets all times. */
    static void clear() {
        TIMES.clear();
    }

    /** When the engine had each token of a session's only turn, by {@link System#nanoTime}; 0 for those it had not. */
    static long[] nanos(String session) {
        return requireNonNull(TIMES.get(session), () -> "no turn of " + session + " came to the engine");
    }

    @Override
    public EngineLease lease(String name, EngineLease.StepListener listener, int maxUnacknowledgedSteps) {
        if (!name.startsWith(DECODE)) {
            return model.lease(name, listener, maxUnacknowledgedSteps);
        }
        Map<String, long[]> bySequence = new ConcurrentHashMap<>();
        EngineLease.StepListener watched = output -> {
            for (SequenceEvent event : output.events()) {
                long[] nanos = bySequence.get(event.sequenceId());
                if (nanos != null && event instanceof SequenceEvent.Token token) {
                    nanos[token.offset()] = token.nanos();
                } else if (!(event instanceof SequenceEvent.Token)) {
                    bySequence.remove(event.sequenceId());
                }
            }
            listener.onStep(output);
        };
        return new ForwardingLease(model.lease(name, watched, maxUnacknowledgedSteps)) {
            @Override
            public Admission submit(SequenceRequest request) {
                if (request.purpose() == SequenceRequest.Purpose.GENERATE) {
                    bySequence.put(
                            request.sequenceId(),
                            TIMES.computeIfAbsent(request.sessionId(), any -> new long[maxTokens]));
                }
                return super.submit(request);
            }
        };
    }

    @Override
    public ServedModel inRole(EngineRole role) {
        return new TimedModel(model.inRole(role), maxTokens);
    }

    @Override
    public ModelText open() {
        return model.open();
    }
}
