package io.millrace.engine;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.Map;
import java.util.Set;

/**
 * How a sequence's tokens are chosen from its logits, and when it ends. Values are normalised: a filter that is off has
 * its neutral value.
 *
 * @param maxTokens most tokens to generate; at least 1
 * @param temperature 0 is greedy
 * @param topK keep the k most likely; 0 is off
 * @param topP keep the most likely tokens that together reach this mass; 1 is off
 * @param minP drop tokens less likely than this times the most likely one; 0 is off
 * @param repetitionPenalty divides (or multiplies negative) logits of tokens seen in prompt or output; 1 is off
 * @param presencePenalty subtracted once from logits of tokens in the output; 0 is off
 * @param frequencyPenalty subtracted from logits for each time a token is in the output; 0 is off
 * @param logitBias added to the logits of these tokens
 * @param stopTokenIds tokens that end the sequence besides the model's own end tokens
 * @param seed with the position, decides the sampling noise
 * @param ignoreEos go on after the model's end tokens
 * @param minTokens no end token is chosen before so many tokens
 */
public record SamplingParameters(
        int maxTokens,
        float temperature,
        int topK,
        float topP,
        float minP,
        float repetitionPenalty,
        float presencePenalty,
        float frequencyPenalty,
        Map<Integer, Float> logitBias,
        Set<Integer> stopTokenIds,
        long seed,
        boolean ignoreEos,
        int minTokens) {
    public SamplingParameters {
        check(maxTokens >= 1, "max_tokens", "must be at least 1", maxTokens);
        check(temperature >= 0 && temperature <= 100, "temperature", "must be from 0 to 100", temperature);
        check(topK >= 0, "top_k", "must not be negative", topK);
        check(topP > 0 && topP <= 1, "top_p", "must be above 0 and at most 1", topP);
        check(minP >= 0 && minP <= 1, "min_p", "must be from 0 to 1", minP);
        check(
                repetitionPenalty > 0 && repetitionPenalty <= 100,
                "repetition_penalty",
                "must be above 0 and at most 100",
                repetitionPenalty);
        check(Math.abs(presencePenalty) <= 100, "presence_penalty", "must be from -100 to 100", presencePenalty);
        check(Math.abs(frequencyPenalty) <= 100, "frequency_penalty", "must be from -100 to 100", frequencyPenalty);
        check(minTokens >= 0, "min_tokens", "must not be negative", minTokens);
        for (Map.Entry<Integer, Float> bias : logitBias.entrySet()) {
            check(Math.abs(bias.getValue()) <= 100, "logit_bias", "must be from -100 to 100", bias.getValue());
        }
        logitBias = Map.copyOf(logitBias);
        stopTokenIds = Set.copyOf(stopTokenIds);
    }

    /** Greedy decoding of at most so many tokens. */
    public static SamplingParameters greedy(int maxTokens) {
        return new SamplingParameters(maxTokens, 0, 0, 1, 0, 1, 0, 0, Map.of(), Set.of(), 0, false, 0);
    }

    // NaN fails every comparison above, so it is refused with the rest.
    private static void check(boolean holds, String param, String what, Object value) {
        if (!holds) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, param + " " + what + ": " + value, param, null);
        }
    }
}
