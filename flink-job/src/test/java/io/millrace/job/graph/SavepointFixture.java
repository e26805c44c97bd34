package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitComplete;
import static io.millrace.job.graph.TestingJob.message;
import static io.millrace.job.graph.TestingJob.request;

import io.millrace.connector.port.TurnStream;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.flink.configuration.Configuration;

/**
 * A savepoint that a version of Millrace wrote, with the tokens that this version gave to an undisturbed run of the
 * same requests. The requests are for ever: another set of them needs a folder of its own.
 */
final class SavepointFixture {
    /** The file of the tokens, beside the savepoint's own. */
    static final String TOKENS_FILE = "tokens.txt";

    /** Chunks of each decoding turn before the savepoint, at least. */
    static final int CHUNKS_BEFORE = 30;

    private static final int LONG_TURN_TOKENS = 120;

    private SavepointFixture() {}

    /** Options that a job of the fixture has, to write it and to restore it. */
    static Configuration options() {
        Configuration options = new Configuration();
        // The file gets old, and is to be found as if it were new.
        options.set(MillraceOptions.SESSION_TTL, Duration.ofDays(36_500));
        options.set(MillraceOptions.REQUEST_TTL, Duration.ofDays(36_500));
        options.set(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS, 256);
        return options;
    }

    /** Turns that had ended before the savepoint, in their order. */
    static List<AgentRequest> ended() {
        return List.of(
                request("ended", "first", "hello", 12),
                request("ended", "second", List.of(message("user", "hello"), message("user", "again")), 20),
                request("ended-too", "only", "the mill", 33));
    }

    /** Turns that Decode had begun. */
    static List<AgentRequest> decoding() {
        return List.of(
                request("decoding-greedy", "r", "grind", LONG_TURN_TOKENS),
                sampled(request("decoding-sampled", "r", "grind this", LONG_TURN_TOKENS), 7),
                sampled(request("decoding-in-a-tool-loop", "r", conversation(), LONG_TURN_TOKENS), 8));
    }

    /** A turn whose prompt Prefill was computing. */
    static AgentRequest prefilling() {
        return sampled(request("prefilling", "r", "x".repeat(900) + "y".repeat(300), 25), 9);
    }

    /** A turn of a session that had ended turns; it began after the savepoint. */
    static AgentRequest later() {
        List<ChatMessage> messages =
                List.of(message("user", "hello"), message("user", "again"), message("user", "later"));
        return request("ended", "third", messages, 15);
    }

    private static List<ChatMessage> conversation() {
        return List.of(
                message("system", "You are a mill."),
                message("user", "Grind."),
                message("assistant", "flour"),
                message("tool", "{\"flour\": 12}"));
    }

    private static AgentRequest sampled(AgentRequest request, long seed) {
        AgentRequest.Builder builder = request.toBuilder();
        builder.getChatBuilder()
                .getSamplingBuilder()
                .setTemperature(0.9f)
                .setTopK(40)
                .setSeed(seed);
        return builder.build();
    }

    /** The key of a request in the file of tokens. */
    static String key(AgentRequest request) {
        return request.getSessionId() + "/" + request.getRequestId();
    }

    /** Has a job answer requests one after the other; returns their tokens. */
    static Map<String, List<Integer>> answers(TestingJob job, List<AgentRequest> requests) throws Exception {
        Map<String, List<Integer>> answers = new LinkedHashMap<>();
        for (AgentRequest request : requests) {
            TurnStream turn = job.port().submit(request);
            awaitComplete(turn);
            answers.put(key(request), TestingJob.tokens(turn));
        }
        return answers;
    }

    static void writeTokens(Path folder, Map<String, List<Integer>> answers) throws IOException {
        List<String> lines = new ArrayList<>();
        answers.forEach((key, tokens) ->
                lines.add(key + " " + tokens.stream().map(Object::toString).collect(Collectors.joining(" "))));
        Files.write(folder.resolve(TOKENS_FILE), lines);
    }

    static Map<String, List<Integer>> readTokens(Path folder) throws IOException {
        Map<String, List<Integer>> answers = new LinkedHashMap<>();
        for (String line : Files.readAllLines(folder.resolve(TOKENS_FILE))) {
            String[] fields = line.split(" ");
            List<Integer> tokens = new ArrayList<>();
            for (int i = 1; i < fields.length; i++) {
                tokens.add(Integer.valueOf(fields[i]));
            }
            answers.put(fields[0], tokens);
        }
        return answers;
    }
}
