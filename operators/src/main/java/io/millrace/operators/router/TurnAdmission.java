package io.millrace.operators.router;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.operators.ModelText;
import io.millrace.operators.SamplingReader;
import io.millrace.operators.TokenIds;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.OutputRules;
import io.millrace.proto.SamplingParams;
import io.millrace.proto.SessionLog;
import io.millrace.proto.Turn;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Makes turns of requests, or says why not. Without state: what it answers depends on its arguments alone. */
final class TurnAdmission {
    /** Ids become keys and names; no client needs longer ones. */
    static final int ID_CHARS_MAX = 512;
    /** No chat has more messages. */
    static final int MESSAGES_MAX = 100_000;

    private final ModelText text;
    private final RouterSettings settings;

    TurnAdmission(ModelText text, RouterSettings settings) {
        this.text = requireNonNull(text, "text");
        this.settings = requireNonNull(settings, "settings");
    }

    /**
     * An admitted turn.
     *
     * @param turn all but its placement
     * @param promptText its prompt as the template rendered it
     */
    record Admitted(Turn turn, String promptText) {}

    /**
     * Admits a request.
     *
     * @param log the session's log; null if the session is new
     * @throws ServingException saying what is wrong with the request
     */
    Admitted admit(AgentRequest request, @Nullable SessionLog log) {
        checkIds(request);
        checkModel(request.getModel());
        if (!request.hasChat()) {
            throw invalid("the request has no chat, no cancel and no close", null);
        }
        ChatRequest chat = request.getChat();
        if (chat.getMessagesCount() == 0) {
            throw invalid("a chat needs at least one message", "messages");
        }
        if (chat.getMessagesCount() > MESSAGES_MAX) {
            throw invalid("a chat may have at most " + MESSAGES_MAX + " messages", "messages");
        }
        // Before the prompt is made: a bad parameter needs no tokens to be seen.
        SamplingReader.read(withMaxTokens(chat.getSampling(), 1), text.vocabSize());
        ModelText.@Nullable Previous previous = previous(log);
        ModelText.Prompt prompt = text.prompt(chat, previous);
        SamplingParams sampling = limited(chat.getSampling(), prompt.tokenIds().length);
        Turn.Builder turn = Turn.newBuilder()
                .setSessionId(request.getSessionId())
                .setRequestId(request.getRequestId())
                .setSampling(sampling)
                .setCacheSalt(request.getCacheSalt())
                .setPriority(Math.max(0, chat.getPriority()))
                .setArrivalMs(request.getArrivalMs())
                .setOutputFormat(prompt.outputFormat())
                .addAllToolNames(prompt.toolNames())
                .setForcedPrefix(prompt.forcedPrefix())
                .setCachedTokens(-1)
                .setSessionPrefixTokens(previous == null ? 0 : commonPrefix(previous.tokenIds(), prompt.tokenIds()));
        if (!prompt.outputRules().equals(OutputRules.getDefaultInstance())) {
            turn.setOutputRules(prompt.outputRules());
        }
        if (chat.hasSpeculation()) {
            turn.setSpeculation(chat.getSpeculation());
        }
        for (int tokenId : prompt.tokenIds()) {
            turn.addPromptTokenIds(tokenId);
        }
        return new Admitted(turn.build(), prompt.text());
    }

    /** How many tokens two prompts begin with alike. */
    private static int commonPrefix(int[] before, int[] now) {
        int firstDifference = Arrays.mismatch(before, now);
        return firstDifference < 0 ? now.length : firstDifference;
    }

    /** Checks what every request must have that is not only about a turn that is known. */
    static void checkIds(AgentRequest request) {
        checkId(request.getSessionId(), "session_id");
        checkId(request.getRequestId(), "request_id");
    }

    private static void checkId(String id, String param) {
        if (id.isEmpty() || id.length() > ID_CHARS_MAX) {
            throw invalid(param + " must have 1 to " + ID_CHARS_MAX + " characters, and has " + id.length(), param);
        }
    }

    private void checkModel(String model) {
        if (!model.isEmpty() && !model.equals(settings.modelName())) {
            throw new ServingException(
                    ErrorCode.MODEL_NOT_FOUND,
                    "the model '" + model + "' is not served here; '" + settings.modelName() + "' is",
                    "model",
                    null);
        }
    }

    /** The parameters with a number of tokens that the context has room for. */
    private SamplingParams limited(SamplingParams sampling, int promptTokens) {
        int limit = text.maxTurnTokens();
        int room = limit - promptTokens;
        int asked = sampling.getMaxTokens();
        if (asked < 0) {
            throw invalid("max_tokens must be at least 1: " + asked, "max_tokens");
        }
        if (room < 1) {
            throw new ServingException(
                    ErrorCode.CONTEXT_LENGTH_EXCEEDED,
                    "the prompt has " + promptTokens + " tokens, which leaves no room for an answer in the context of "
                            + limit,
                    "messages",
                    null);
        }
        if (asked > room) {
            throw new ServingException(
                    ErrorCode.CONTEXT_LENGTH_EXCEEDED,
                    "the prompt has " + promptTokens + " tokens and max_tokens is " + asked
                            + ", together more than the context of " + limit,
                    "max_tokens",
                    null);
        }
        return withMaxTokens(sampling, asked == 0 ? room : asked);
    }

    private static SamplingParams withMaxTokens(SamplingParams sampling, int maxTokens) {
        return sampling.toBuilder().setMaxTokens(maxTokens).build();
    }

    private static ModelText.@Nullable Previous previous(@Nullable SessionLog log) {
        if (log == null || log.getPromptTokenIdsCount() == 0) {
            return null;
        }
        return new ModelText.Previous(log.getPromptText(), TokenIds.toArray(log.getPromptTokenIdsList()));
    }

    private static ServingException invalid(String message, @Nullable String param) {
        return new ServingException(ErrorCode.INVALID_REQUEST, message, param, null);
    }
}
