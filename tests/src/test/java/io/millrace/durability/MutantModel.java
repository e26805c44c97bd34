package io.millrace.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Admission;
import io.millrace.engine.EngineLease;
import io.millrace.engine.ForwardingLease;
import io.millrace.engine.LoadTarget;
import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceEvent;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StepOutput;
import io.millrace.operators.EngineRole;
import io.millrace.operators.ModelText;
import io.millrace.operators.ServedModel;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Another model with a defect that shows only where turns are resumed or blocks loaded: the harness must see it. */
final class MutantModel implements ServedModel {
    private static final long serialVersionUID = 1L;
    /** Leases of all mutants: what a process that does not know its past might count. */
    private static final AtomicLong LEASES = new AtomicLong();

    private static final AtomicLong MUTATIONS = new AtomicLong();

    private final ServedModel model;
    private final Defect defect;

    /** What is wrong with it. */
    enum Defect {
        /** The noise of sampling depends on the attempt. */
        SEED_OF_THE_ATTEMPT,
        /** A turn is resumed one token too early, and the engine's offsets are those that were asked for. */
        ONE_TOKEN_BACK,
        /** A turn is resumed one token too early, and the engine says so. */
        ONE_OFFSET_BACK,
        /** Blocks that come from a tier below the device have other content. */
        DAMAGED_BLOCK
    }

    MutantModel(ServedModel model, Defect defect) {
        this.model = requireNonNull(model, "model");
        this.defect = requireNonNull(defect, "defect");
    }

    @Override
    public MutantModel inRole(EngineRole role) {
        return new MutantModel(model.inRole(role), defect);
    }

    @Override
    public EngineLease lease(String name, EngineLease.StepListener listener, int maxUnacknowledgedSteps) {
        long attempt = LEASES.incrementAndGet();
        Set<String> shifted = ConcurrentHashMap.newKeySet();
        Map<Long, StepOutput> originals = new ConcurrentHashMap<>();
        EngineLease.StepListener heard = output -> {
            originals.put(output.stepId(), output);
            listener.onStep(new StepOutput(
                    output.stepId(),
                    output.events().stream().map(event -> shift(event, shifted)).toList()));
        };
        EngineLease lease = model.lease(name, heard, maxUnacknowledgedSteps);
        return new ForwardingLease(lease) {
            @Override
            public Admission submit(SequenceRequest request) {
                return super.submit(mutate(request, attempt, shifted));
            }

            @Override
            public void acknowledge(StepOutput output) {
                super.acknowledge(requireNonNull(originals.remove(output.stepId()), "original"));
            }
        };
    }

    @Override
    public ModelText open() {
        return model.open();
    }

    /** Sequences that mutants have resumed, and blocks that they have damaged. */
    static long mutationCount() {
        return MUTATIONS.get();
    }

    private SequenceRequest mutate(SequenceRequest request, long attempt, Set<String> shifted) {
        if (defect == Defect.DAMAGED_BLOCK) {
            return Loads.withTargets(request, DamagingTarget::new);
        }
        int count = request.generatedTokens().length;
        if (count > 0) {
            MUTATIONS.incrementAndGet();
        }
        if (defect == Defect.SEED_OF_THE_ATTEMPT) {
            SamplingParameters seeded = seeded(request.sampling(), attempt);
            return with(request, request.generatedTokens(), seeded);
        }
        if (count == 0) {
            return request;
        }
        if (defect == Defect.ONE_TOKEN_BACK) {
            shifted.add(request.sequenceId());
        }
        int[] shorter = Arrays.copyOf(request.generatedTokens(), count - 1);
        return with(request, shorter, request.sampling());
    }

    private static SequenceEvent shift(SequenceEvent event, Set<String> shifted) {
        return event instanceof SequenceEvent.Token token && shifted.contains(token.sequenceId())
                ? new SequenceEvent.Token(token.sequenceId(), token.offset() + 1, token.tokenId(), token.nanos())
                : event;
    }

    /** Writes zeros over half of each block. */
    private static final class DamagingTarget extends ForwardingTarget {
        DamagingTarget(LoadTarget target) {
            super(target);
        }

        @Override
        public void write(int index, ByteBuffer content) {
            ByteBuffer damaged = ByteBuffer.allocateDirect(content.remaining()).order(content.order());
            damaged.put(content.slice().limit(content.remaining() / 2));
            damaged.rewind();
            MUTATIONS.incrementAndGet();
            super.write(index, damaged);
        }
    }

    private static SequenceRequest with(SequenceRequest request, int[] generated, SamplingParameters sampling) {
        return new SequenceRequest(
                request.sequenceId(),
                request.sessionId(),
                request.purpose(),
                request.promptTokens(),
                generated,
                sampling,
                request.cacheSalt(),
                request.priority(),
                request.arrivalNanos(),
                request.stopCondition(),
                request.prefixSource(),
                request.constraint(),
                request.speculation());
    }

    private static SamplingParameters seeded(SamplingParameters sampling, long attempt) {
        return new SamplingParameters(
                sampling.maxTokens(),
                sampling.temperature(),
                sampling.topK(),
                sampling.topP(),
                sampling.minP(),
                sampling.repetitionPenalty(),
                sampling.presencePenalty(),
                sampling.frequencyPenalty(),
                sampling.logitBias(),
                sampling.stopTokenIds(),
                sampling.seed() + (attempt << 32),
                sampling.ignoreEos(),
                sampling.minTokens());
    }
}
