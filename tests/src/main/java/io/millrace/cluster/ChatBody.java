package io.millrace.cluster;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.SamplingParams;

/** Requests as the HTTP API takes them: streamed, with the tokens' ids in the events. */
final class ChatBody {
    private static final ObjectMapper JSON = new ObjectMapper();

    private ChatBody() {}

    /** The body that means the same as a request of a script. */
    static String of(AgentRequest request) {
        ObjectNode body = JSON.createObjectNode().put("stream", true);
        ArrayNode messages = body.putArray("messages");
        for (ChatMessage message : request.getChat().getMessagesList()) {
            messages.addObject().put("role", message.getRole()).put("content", message.getContent());
        }
        sampling(request.getChat().getSampling(), body);
        ObjectNode nvext = body.putObject("nvext");
        nvext.putArray("extra_fields").add("token_ids");
        nvext.putObject("agent_hints").put("priority", request.getChat().getPriority());
        if (!request.getCacheSalt().isEmpty()) {
            nvext.put("cache_salt", request.getCacheSalt());
        }
        return body.toString();
    }

    private static void sampling(SamplingParams sampling, ObjectNode body) {
        body.put("max_tokens", sampling.getMaxTokens())
                .put("temperature", sampling.getTemperature())
                .put("seed", sampling.getSeed())
                .put("ignore_eos", sampling.getIgnoreEos())
                .put("presence_penalty", sampling.getPresencePenalty())
                .put("frequency_penalty", sampling.getFrequencyPenalty());
        if (sampling.getTopK() > 0) {
            body.put("top_k", sampling.getTopK());
        }
        if (sampling.getTopP() > 0) {
            body.put("top_p", sampling.getTopP());
        }
        if (sampling.getMinP() > 0) {
            body.put("min_p", sampling.getMinP());
        }
        if (sampling.getRepetitionPenalty() > 0) {
            body.put("repetition_penalty", sampling.getRepetitionPenalty());
        }
        ArrayNode stops = body.putArray("stop");
        sampling.getStopList().forEach(stops::add);
        if (stops.isEmpty()) {
            body.remove("stop");
        }
    }
}
