package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import java.util.Set;

/**
 * What a client's answer looks like besides the turn's tokens.
 *
 * @param model the model's name as the client wrote it
 * @param createdSeconds when the turn was taken, in seconds since the epoch
 * @param includeUsage whether a stream ends with a usage event
 * @param singleToolCall whether calls after the first are left out
 * @param extraFields names of the extra response fields that the client asked for
 */
record AnswerShape(
        String model, long createdSeconds, boolean includeUsage, boolean singleToolCall, Set<String> extraFields) {
    AnswerShape {
        requireNonNull(model, "model");
        extraFields = Set.copyOf(extraFields);
    }

    static AnswerShape of(ParsedChat chat, long createdSeconds) {
        return new AnswerShape(
                chat.model(), createdSeconds, chat.includeUsage(), chat.singleToolCall(), chat.extraFields());
    }

    boolean wantsTokenIds() {
        return extraFields.contains("token_ids");
    }

    boolean wantsTiming() {
        return extraFields.contains("timing");
    }

    boolean wantsStopReason() {
        return extraFields.contains("stop_reason");
    }
}
