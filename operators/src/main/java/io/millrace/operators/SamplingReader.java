package io.millrace.operators;

import io.millrace.engine.SamplingParameters;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.SamplingParams;
import io.millrace.text.tokenizer.StopStrings;
import java.util.Map;
import java.util.Set;

/** Reads a request's sampling parameters, in which 0 stands for what was not said, as the engine wants them. */
public final class SamplingReader {
    /** No stop string is longer. */
    private static final int STOP_CHARS_MAX = 1024;

    private SamplingReader() {}

    /**
     * Reads sampling parameters.
     *
     * @param params as they came; {@code max_tokens} is at least 1 already
     * @param vocabSize token ids are below it
     * @throws ServingException {@code INVALID_REQUEST} naming the parameter that is out of its range
     */
    public static SamplingParameters read(SamplingParams params, int vocabSize) {
        for (int tokenId : params.getLogitBiasMap().keySet()) {
            checkToken(tokenId, vocabSize, "logit_bias");
        }
        for (int tokenId : params.getStopTokenIdsList()) {
            checkToken(tokenId, vocabSize, "stop_token_ids");
        }
        checkStops(params);
        return new SamplingParameters(
                params.getMaxTokens(),
                params.getTemperature(),
                params.getTopK(),
                orNeutral(params.getTopP()),
                params.getMinP(),
                orNeutral(params.getRepetitionPenalty()),
                params.getPresencePenalty(),
                params.getFrequencyPenalty(),
                Map.copyOf(params.getLogitBiasMap()),
                Set.copyOf(params.getStopTokenIdsList()),
                params.getSeed(),
                params.getIgnoreEos(),
                params.getMinTokens());
    }

    private static void checkStops(SamplingParams params) {
        if (params.getStopCount() > StopStrings.COUNT_MAX) {
            throw invalid(
                    "stop", "stop may have at most " + StopStrings.COUNT_MAX + " strings: " + params.getStopCount());
        }
        for (String stop : params.getStopList()) {
            if (stop.isEmpty() || stop.length() > STOP_CHARS_MAX) {
                throw invalid(
                        "stop", "a stop string must have 1 to " + STOP_CHARS_MAX + " characters: " + stop.length());
            }
        }
    }

    private static ServingException invalid(String param, String message) {
        return new ServingException(ErrorCode.INVALID_REQUEST, message, param, null);
    }

    private static float orNeutral(float value) {
        return value == 0 ? 1 : value;
    }

    private static void checkToken(int tokenId, int vocabSize, String param) {
        if (tokenId < 0 || tokenId >= vocabSize) {
            throw invalid(
                    param, param + " names token " + tokenId + ", but the model's tokens are 0 to " + (vocabSize - 1));
        }
    }
}
