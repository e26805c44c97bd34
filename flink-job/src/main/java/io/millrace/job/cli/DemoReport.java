package io.millrace.job.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * A demo's figures, as a table and as JSON.
 *
 * @param model the model's name
 * @param turns what each turn came to
 */
record DemoReport(String model, List<ChatReply> turns) {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    DemoReport {
        turns = List.copyOf(turns);
    }

    /** The figures as a table, a line a turn. */
    String table() {
        StringBuilder table = new StringBuilder(String.format(
                Locale.ROOT,
                "%5s %10s %14s %14s %18s %10s%n",
                "turn",
                "TTFT ms",
                "prompt tokens",
                "cached tokens",
                "completion tokens",
                "tokens/s"));
        for (int index = 0; index < turns.size(); index++) {
            ChatReply turn = turns.get(index);
            table.append(String.format(
                    Locale.ROOT,
                    "%5d %10.1f %14d %14d %18d %10.1f%n",
                    index + 1,
                    turn.ttftMs(),
                    turn.promptTokens(),
                    turn.cachedTokens(),
                    turn.completionTokens(),
                    turn.tokensPerSecond()));
        }
        return table.toString();
    }

    /** Writes the figures as JSON. */
    void write(Path file) throws IOException {
        ObjectNode report = JSON.createObjectNode().put("model", model);
        ArrayNode array = report.putArray("turns");
        for (ChatReply turn : turns) {
            array.addObject()
                    .put("prompt_tokens", turn.promptTokens())
                    .put("cached_tokens", turn.cachedTokens())
                    .put("completion_tokens", turn.completionTokens())
                    .put("ttft_ms", rounded(turn.ttftMs()))
                    .put("tokens_per_second", rounded(turn.tokensPerSecond()));
        }
        Path parent = file.toAbsolutePath().getParent();
        if (parent != null) {
            Files.createDirectories(parent);
        }
        Files.writeString(file, JSON.writeValueAsString(report) + "\n");
    }

    private static double rounded(double value) {
        return Math.round(value * 1000) / 1000.0;
    }
}
