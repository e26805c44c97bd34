package io.millrace.operators.decode;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.SamplingParameters;
import io.millrace.engine.SequenceRequest;
import io.millrace.engine.SpeculationParameters;
import io.millrace.engine.StopCondition;
import io.millrace.operators.ModelText;
import io.millrace.operators.SamplingReader;
import io.millrace.operators.SpeculationReader;
import io.millrace.operators.TokenIds;
import io.millrace.operators.TurnClock;
import io.millrace.operators.tiers.SessionTiers;
import io.millrace.proto.Turn;
import java.util.Arrays;

/**
 * Puts turns into the engine's words.
 *
 * @param text the model's text side
 * @param clock tells when a turn arrived
 * @param tiers know where a turn's blocks can be had
 * @param speculation whose guesses turns take that do not ask for less
 */
record TurnRequests(ModelText text, TurnClock clock, SessionTiers tiers, SpeculationParameters speculation) {
    TurnRequests {
        requireNonNull(text, "text");
        requireNonNull(clock, "clock");
        requireNonNull(tiers, "tiers");
        requireNonNull(speculation, "speculation");
    }

    /** Generates the turn's next tokens. */
    SequenceRequest turn(ActiveTurn active) {
        Turn turn = active.turn();
        int[] generated = active.generatedTokens();
        return new SequenceRequest(
                active.sequenceId(),
                turn.getSessionId(),
                SequenceRequest.Purpose.GENERATE,
                TokenIds.prompt(turn),
                generated,
                SamplingReader.read(turn.getSampling(), text.vocabSize()),
                turn.getCacheSalt(),
                turn.getPriority(),
                clock.arrivalNanos(turn.getArrivalMs()),
                text.stopCondition(turn, generated),
                tiers.prefixSource(active.blocks()),
                active.constraint(),
                SpeculationReader.read(turn.getSpeculation(), speculation));
    }

    /** Computes the turn's first tokens, so many that the blocks they fill are found afterwards. */
    SequenceRequest head(ActiveTurn active, String sequenceId, int tokens) {
        Turn turn = active.turn();
        int[] prompt = TokenIds.prompt(turn);
        int[] generated = active.generatedTokens();
        int[] head = Arrays.copyOf(prompt, tokens);
        if (tokens > prompt.length) {
            System.arraycopy(generated, 0, head, prompt.length, tokens - prompt.length);
        }
        return new SequenceRequest(
                sequenceId,
                turn.getSessionId(),
                SequenceRequest.Purpose.PREFILL,
                head,
                new int[0],
                SamplingParameters.greedy(1),
                turn.getCacheSalt(),
                turn.getPriority(),
                clock.arrivalNanos(turn.getArrivalMs()),
                StopCondition.NEVER,
                tiers.prefixSource(active.blocks()));
    }
}
