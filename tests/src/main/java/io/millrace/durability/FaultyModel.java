package io.millrace.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.Admission;
import io.millrace.engine.Constraint;
import io.millrace.engine.EngineLease;
import io.millrace.engine.ForwardingLease;
import io.millrace.engine.HeldBlocks;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.StepOutput;
import io.millrace.engine.StopCondition;
import io.millrace.kv.BlockHash;
import io.millrace.operators.EngineRole;
import io.millrace.operators.ModelText;
import io.millrace.operators.ServedModel;
import io.millrace.operators.TurnText;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.Turn;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Another model, whose engine and text side fail when they are told to. */
public final class FaultyModel implements ServedModel {
    private static final long serialVersionUID = 1L;

    private final String run;
    private final ServedModel model;

    /** A model of a run of {@link Faults}. */
    public FaultyModel(String run, ServedModel model) {
        this.run = requireNonNull(run, "run");
        this.model = requireNonNull(model, "model");
    }

    @Override
    public FaultyModel inRole(EngineRole role) {
        return new FaultyModel(run, model.inRole(role));
    }

    @Override
    public EngineLease lease(String name, EngineLease.StepListener listener, int maxUnacknowledgedSteps) {
        Faults faults = Faults.of(run);
        faults.pass(FaultPoint.LEASE);
        return new Lease(model.lease(name, listener, maxUnacknowledgedSteps), faults);
    }

    @Override
    public ModelText open() {
        Faults faults = Faults.of(run);
        faults.pass(FaultPoint.TEXT_OPEN);
        return new Text(model.open(), faults);
    }

    private static final class Lease extends ForwardingLease {
        private final Faults faults;

        Lease(EngineLease lease, Faults faults) {
            super(lease);
            this.faults = faults;
        }

        @Override
        public Admission submit(SequenceRequest request) {
            faults.pass(FaultPoint.SUBMIT);
            return super.submit(faults.loads().counted(request));
        }

        @Override
        public void acknowledge(StepOutput output) {
            faults.pass(FaultPoint.ACKNOWLEDGE);
            super.acknowledge(output);
        }

        @Override
        public int cachedPrefixTokens(int[] promptTokens, String cacheSalt) {
            faults.pass(FaultPoint.CACHED_PREFIX);
            return super.cachedPrefixTokens(promptTokens, cacheSalt);
        }

        @Override
        public void hold(List<BlockHash> hashes, Consumer<HeldBlocks> receiver) {
            faults.pass(FaultPoint.HOLD);
            super.hold(hashes, receiver);
        }
    }

    private record Text(ModelText text, Faults faults) implements ModelText {
        @Override
        public Prompt prompt(ChatRequest chat, @Nullable Previous previous) {
            faults.pass(FaultPoint.PROMPT);
            return text.prompt(chat, previous);
        }

        @Override
        public TurnText newTurnText(Turn turn) {
            faults.pass(FaultPoint.TURN_TEXT);
            return new Output(text.newTurnText(turn), faults);
        }

        @Override
        public StopCondition stopCondition(Turn turn, int[] generatedTokens) {
            return text.stopCondition(turn, generatedTokens);
        }

        @Override
        public boolean isConstraintReady(Turn turn) {
            return text.isConstraintReady(turn);
        }

        @Override
        public @Nullable Constraint constraint(Turn turn) {
            return text.constraint(turn);
        }

        @Override
        public String tokenText(int tokenId) {
            return text.tokenText(tokenId);
        }

        @Override
        public int vocabSize() {
            return text.vocabSize();
        }

        @Override
        public int maxTurnTokens() {
            return text.maxTurnTokens();
        }
    }

    private record Output(TurnText text, Faults faults) implements TurnText {
        @Override
        public Piece accept(int tokenId) {
            faults.pass(FaultPoint.TOKEN_TEXT);
            return text.accept(tokenId);
        }

        @Override
        public Piece finish() {
            return text.finish();
        }

        @Override
        public String stopString() {
            return text.stopString();
        }
    }
}
