package io.millrace.job.cli;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/**
 * What the demo plays, read from the resources beside it.
 *
 * @param system the agent's system prompt
 * @param tools the tools' definitions as the API takes them
 * @param history messages of the shift before: they show the model what a call looks like
 * @param steps what the user asks, in order
 * @param files the workspace that the tools look at, by path
 */
record DemoScript(String system, JsonNode tools, JsonNode history, List<Step> steps, Map<String, String> files) {
    private static final String FOLDER = "/millrace/demo/";
    private static final ObjectMapper JSON = new ObjectMapper();

    DemoScript {
        steps = List.copyOf(steps);
        files = Map.copyOf(files);
    }

    /**
     * A question, and the tool that answers it.
     *
     * @param question what the user asks
     * @param tool the tool that the request names in {@code tool_choice}
     */
    record Step(String question, String tool) {}

    /** Reads the script. */
    static DemoScript load() {
        try {
            return new DemoScript(
                    new String(read("system.txt"), StandardCharsets.UTF_8),
                    JSON.readTree(read("tools.json")),
                    JSON.readTree(read("history.json")),
                    JSON.readValue(read("questions.json"), new TypeReference<List<Step>>() {}),
                    JSON.readValue(read("workspace.json"), new TypeReference<Map<String, String>>() {}));
        } catch (IOException e) {
            throw new IllegalStateException("the demo's script is damaged", e);
        }
    }

    private static byte[] read(String name) throws IOException {
        try (InputStream in = DemoScript.class.getResourceAsStream(FOLDER + name)) {
            if (in == null) {
                throw new IllegalStateException("the demo's " + name + " is missing");
            }
            return in.readAllBytes();
        }
    }
}
