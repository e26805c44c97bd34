package io.millrace.engine;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;

/** Refuses requests that would read or write outside of the vocabulary. */
final class RequestCheck {
    private RequestCheck() {}

    /**
     * Checks every token id of a request.
     *
     * @throws ServingException {@code INVALID_REQUEST} naming the field and the token
     */
    static void checkTokens(SequenceRequest request, int vocabSize) {
        for (int tokenId : request.promptTokens()) {
            check(tokenId, vocabSize, "prompt");
        }
        for (int tokenId : request.generatedTokens()) {
            check(tokenId, vocabSize, "generated tokens");
        }
        for (int tokenId : request.sampling().logitBias().keySet()) {
            check(tokenId, vocabSize, "logit_bias");
        }
        for (int tokenId : request.sampling().stopTokenIds()) {
            check(tokenId, vocabSize, "stop_token_ids");
        }
    }

    private static void check(int tokenId, int vocabSize, String where) {
        if (tokenId < 0 || tokenId >= vocabSize) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST,
                    "token " + tokenId + " of " + where + " is not in the vocabulary of " + vocabSize + " tokens",
                    where,
                    null);
        }
    }
}
