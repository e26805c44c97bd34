package io.millrace.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.proto.SamplingParams;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/** Reads the fields of a request that decide how tokens are chosen and when the answer ends. */
final class SamplingParser {
    static final int MAX_STOPS = 16;
    static final int MAX_STOP_CHARS = 1_024;
    static final int MAX_STOP_TOKENS = 128;
    static final int MAX_BIASES = 1_024;

    private static final double DEFAULT_TEMPERATURE = 1;

    private SamplingParser() {}

    static SamplingParams.Builder parse(JsonFields fields) {
        SamplingParams.Builder sampling = SamplingParams.newBuilder();
        // The newer name wins where a client sends both.
        String maxTokens = fields.has("max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
        sampling.setMaxTokens((int) fields.integer(maxTokens, 1, Integer.MAX_VALUE, 0));
        sampling.setTemperature(fields.number("temperature", 0, 2, DEFAULT_TEMPERATURE));
        sampling.setTopK((int) Math.max(0, fields.integer("top_k", -1, Integer.MAX_VALUE, 0)));
        sampling.setTopP(positive(fields, "top_p", 1));
        sampling.setMinP(fields.number("min_p", 0, 1, 0));
        sampling.setRepetitionPenalty(positive(fields, "repetition_penalty", 100));
        sampling.setPresencePenalty(fields.number("presence_penalty", -2, 2, 0));
        sampling.setFrequencyPenalty(fields.number("frequency_penalty", -2, 2, 0));
        sampling.setSeed(fields.integer("seed", Long.MIN_VALUE, Long.MAX_VALUE, 0));
        sampling.setIgnoreEos(fields.bool("ignore_eos", false));
        sampling.setMinTokens((int) fields.integer("min_tokens", 0, Integer.MAX_VALUE, 0));
        if (sampling.getMaxTokens() != 0 && sampling.getMinTokens() > sampling.getMaxTokens()) {
            throw fields.refuseField("min_tokens", "must not be above " + maxTokens);
        }
        logitBias(fields, sampling);
        stops(fields, sampling);
        List<JsonNode> stopTokens = fields.array("stop_token_ids", MAX_STOP_TOKENS);
        for (int i = 0; i < stopTokens.size(); i++) {
            String path = "stop_token_ids[" + i + "]";
            sampling.addStopTokenIds((int) JsonFields.integer(stopTokens.get(i), path, 0, Integer.MAX_VALUE));
        }
        return sampling;
    }

    // In the message 0 means that the filter is off, so a value that is or rounds to 0 must not get there.
    private static float positive(JsonFields fields, String name, double max) {
        float value = fields.number(name, 0, max, 1);
        if (value <= 0) {
            throw fields.refuseField(name, "must be above 0");
        }
        return value;
    }

    private static void logitBias(JsonFields fields, SamplingParams.Builder sampling) {
        JsonFields biases = fields.object("logit_bias");
        if (biases == null) {
            return;
        }
        if (biases.node().size() > MAX_BIASES) {
            throw fields.refuseField("logit_bias", "may have " + MAX_BIASES + " tokens at most");
        }
        Iterator<Map.Entry<String, JsonNode>> entries = biases.node().fields();
        while (entries.hasNext()) {
            Map.Entry<String, JsonNode> entry = entries.next();
            sampling.putLogitBias(
                    tokenId(biases, entry.getKey()),
                    JsonFields.number(entry.getValue(), biases.path(entry.getKey()), -100, 100));
        }
    }

    private static int tokenId(JsonFields biases, String key) {
        if (key.length() <= 10 && key.chars().allMatch(c -> c >= '0' && c <= '9') && !key.isEmpty()) {
            long id = Long.parseLong(key);
            if (id <= Integer.MAX_VALUE) {
                return (int) id;
            }
        }
        throw biases.refuseField(key, "is not named by a token id");
    }

    private static void stops(JsonFields fields, SamplingParams.Builder sampling) {
        JsonNode stop = fields.get("stop");
        if (stop == null) {
            return;
        }
        if (stop.isTextual()) {
            sampling.addStop(stop(stop, "stop"));
            return;
        }
        if (!stop.isArray()) {
            throw JsonFields.wrong("stop", "must be a string or an array of strings", stop);
        }
        List<JsonNode> stops = fields.array("stop", MAX_STOPS);
        for (int i = 0; i < stops.size(); i++) {
            sampling.addStop(stop(stops.get(i), "stop[" + i + "]"));
        }
    }

    private static String stop(JsonNode stop, String path) {
        if (!stop.isTextual()) {
            throw JsonFields.wrong(path, "must be a string", stop);
        }
        String text = stop.textValue();
        if (text.isEmpty() || text.length() > MAX_STOP_CHARS) {
            throw JsonFields.refuse(path, "must have 1 to " + MAX_STOP_CHARS + " characters");
        }
        return text;
    }
}
