package io.millrace.job.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * Puts the events of a chat completion's stream together.
 *
 * <p>The time to the first token is the client's own: until the first event that carries text, a tool call, or token
 * ids ({@code nvext.token_ids}). A tool call's text is held back until the call is whole; token ids never are.
 */
final class ReplyAssembler {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final double NANOS_PER_MS = 1e6;

    private final long beginNanos;
    private final Consumer<String> onText;
    private final StringBuilder content = new StringBuilder();
    private final Map<Integer, PartialCall> calls = new TreeMap<>();
    private String finishReason = "";
    private int promptTokens;
    private int cachedTokens;
    private int completionTokens;
    private double firstTokenMs = Double.POSITIVE_INFINITY;
    private boolean done;

    ReplyAssembler(long beginNanos, Consumer<String> onText) {
        this.beginNanos = beginNanos;
        this.onText = requireNonNull(onText, "onText");
    }

    /** Whether the stream has said that it is over. */
    boolean isDone() {
        return done;
    }

    /** Takes the data of an event, which came at a time. */
    void accept(String data, long nanos) throws IOException {
        if (data.equals("[DONE]")) {
            done = true;
            return;
        }
        JsonNode event;
        try {
            event = JSON.readTree(data);
        } catch (JsonProcessingException e) {
            throw new IOException("an event is no JSON: " + data, e);
        }
        if (event.has("error")) {
            throw new IOException(event.path("error").path("message").asText("the turn failed"));
        }
        for (JsonNode choice : event.path("choices")) {
            delta(choice.path("delta"), nanos);
            finishReason = choice.path("finish_reason").asText(finishReason);
        }
        JsonNode usage = event.path("usage");
        if (usage.isObject()) {
            promptTokens = usage.path("prompt_tokens").asInt();
            completionTokens = usage.path("completion_tokens").asInt();
            cachedTokens =
                    usage.path("prompt_tokens_details").path("cached_tokens").asInt();
        }
        if (!event.path("nvext").path("token_ids").isEmpty()) {
            seen(nanos);
        }
    }

    private void delta(JsonNode delta, long nanos) {
        String text = delta.path("content").asText("");
        if (!text.isEmpty()) {
            seen(nanos);
            content.append(text);
            onText.accept(text);
        }
        for (JsonNode call : delta.path("tool_calls")) {
            seen(nanos);
            PartialCall partial = calls.computeIfAbsent(call.path("index").asInt(), index -> new PartialCall());
            partial.id = call.path("id").asText(partial.id);
            JsonNode function = call.path("function");
            String name = function.path("name").asText("");
            if (!name.isEmpty()) {
                partial.name = name;
                onText.accept("→ " + name + " ");
            }
            String arguments = function.path("arguments").asText("");
            partial.arguments.append(arguments);
            onText.accept(arguments);
        }
    }

    private void seen(long nanos) {
        firstTokenMs = Math.min(firstTokenMs, (nanos - beginNanos) / NANOS_PER_MS);
    }

    /** The reply, once the stream has ended. */
    ChatReply finish(long nanos) throws IOException {
        if (!done) {
            throw new IOException("the stream ended before its end was said");
        }
        double elapsedMs = (nanos - beginNanos) / NANOS_PER_MS;
        List<ChatReply.ToolCall> toolCalls = calls.values().stream()
                .map(call -> new ChatReply.ToolCall(call.id, call.name, call.arguments.toString()))
                .toList();
        double ttftMs = Math.min(elapsedMs, firstTokenMs);
        return new ChatReply(
                content.toString(),
                toolCalls,
                finishReason,
                promptTokens,
                cachedTokens,
                completionTokens,
                ttftMs,
                elapsedMs);
    }

    private static final class PartialCall {
        private String id = "";
        private String name = "";
        private final StringBuilder arguments = new StringBuilder();
    }
}
