package io.millrace.engine;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import org.jspecify.annotations.Nullable;

/** Finds the state of a request's constraint behind the output that exists already. */
final class ConstraintReplay {
    private ConstraintReplay() {}

    /**
     * The state behind the generated tokens, or null where there is no constraint.
     *
     * @throws ServingException {@code INVALID_REQUEST} if the constraint does not allow them
     */
    static @Nullable Constraint replay(SequenceRequest request) {
        Constraint state = request.constraint();
        if (state == null || request.purpose() != SequenceRequest.Purpose.GENERATE) {
            return null;
        }
        int[] generated = request.generatedTokens();
        for (int offset = 0; offset < generated.length; offset++) {
            state = state.after(generated[offset]);
            if (state == null) {
                throw new ServingException(
                        ErrorCode.INVALID_REQUEST,
                        "token " + generated[offset] + ", which is token " + offset
                                + " of the output so far, is not what its constraint allows",
                        "generated tokens",
                        null);
            }
        }
        return state;
    }
}
