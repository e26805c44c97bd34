package io.millrace.cluster;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * One server-sent event of a turn as its client got it.
 *
 * @param atNanos when it came, by {@link System#nanoTime}
 * @param turnId the turn that its id names
 * @param position the number behind the turn in its id: tokens that the reader has with it, counting on at the end
 * @param tokenIds tokens that it brought
 * @param content text that it brought
 * @param finishReason why the turn ended, empty in the other events
 * @param done whether it is the stream's last
 */
public record TurnEvent(
        long atNanos,
        String turnId,
        int position,
        List<Integer> tokenIds,
        String content,
        String finishReason,
        boolean done) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Checks that there are no nulls, and keeps the tokens. */
    public TurnEvent {
        requireNonNull(turnId, "turnId");
        requireNonNull(content, "content");
        requireNonNull(finishReason, "finishReason");
        tokenIds = List.copyOf(tokenIds);
    }

    /** Reads an event that has an id. */
    static TurnEvent of(long atNanos, String id, String data) throws IOException {
        int colon = id.lastIndexOf(':');
        String turnId = id.substring(0, colon);
        int position = Integer.parseInt(id.substring(colon + 1));
        if (data.equals("[DONE]")) {
            return new TurnEvent(atNanos, turnId, position, List.of(), "", "", true);
        }
        JsonNode json = JSON.readTree(data);
        List<Integer> tokenIds = new ArrayList<>();
        JsonNode choice = json.at("/choices/0");
        String finishReason = choice.path("finish_reason").asText("");
        if (finishReason.isEmpty() || finishReason.equals("null")) {
            finishReason = "";
            json.at("/nvext/token_ids").forEach(token -> tokenIds.add(token.asInt()));
        }
        String content = choice.at("/delta/content").isTextual()
                ? choice.at("/delta/content").asText()
                : "";
        return new TurnEvent(atNanos, turnId, position, tokenIds, content, finishReason, false);
    }

    /** The id as a client sends it back. */
    String id() {
        return turnId + ":" + position;
    }
}
