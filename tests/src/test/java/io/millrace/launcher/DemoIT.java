package io.millrace.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.model.GeneratedModel;
import io.millrace.reference.DemoModel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./millrace demo} as a user runs it. */
@Timeout(300)
class DemoIT {
    private static final int PROMPT_TOKENS_MIN = 1200;

    @TempDir
    private Path folder;

    @Test
    void playsAnAgentSessionOnTheDemoModel() throws Exception {
        DemoModel.require();
        Path json = folder.resolve("demo.json");

        try (LauncherProcess demo = LauncherProcess.start("demo", "--turns", "6", "--json", json.toString())) {
            assertThat(demo.exitCode(240)).as(demo.output()).isZero();
            assertThat(demo.output()).contains("TTFT ms", "cached tokens", "turn 6");
        }

        JsonNode report = new ObjectMapper().readTree(json.toFile());
        assertThat(report.path("model").asText()).isNotEmpty();
        JsonNode turns = report.path("turns");
        assertThat(turns).hasSize(6);
        int promptTokensBefore = PROMPT_TOKENS_MIN;
        for (int turn = 0; turn < turns.size(); turn++) {
            JsonNode figures = turns.path(turn);
            int promptTokens = figures.path("prompt_tokens").asInt();
            assertThat(promptTokens).as("turn %d", turn + 1).isGreaterThan(promptTokensBefore);
            int cachedTokens = figures.path("cached_tokens").asInt();
            if (turn == 0) {
                assertThat(cachedTokens).isZero();
            } else {
                // All but the block that the turn before ended in.
                assertThat(cachedTokens).isBetween(promptTokensBefore - 64, promptTokens);
            }
            assertThat(figures.path("completion_tokens").asInt()).isPositive();
            assertThat(figures.path("ttft_ms").asDouble()).isPositive();
            assertThat(figures.path("tokens_per_second").asDouble()).isPositive();
            promptTokensBefore = promptTokens;
        }
    }

    @Test
    void goesOnWithAGeneratedModelWhereThereIsNoOther() throws Exception {
        Path json = folder.resolve("demo.json");

        try (LauncherProcess demo = LauncherProcess.startWithoutModels(
                folder.resolve("empty"), "demo", "--turns", "5", "--json", json.toString())) {
            assertThat(demo.exitCode(240)).as(demo.output()).isZero();
            assertThat(demo.output()).contains("No real model can be had", "install python3");
        }

        assertThat(new ObjectMapper().readTree(json.toFile()).path("turns")).hasSize(5);
    }

    @Test
    void takesAnyModel() throws Exception {
        Path model = folder.resolve("tiny-qwen.gguf");
        GeneratedModel.Options tiny = GeneratedModel.Options.tiny("qwen3", 3);
        GeneratedModel.write(model, tiny.withLimits(tiny.vocabSize(), 16_384));

        try (LauncherProcess demo = LauncherProcess.start("demo", "--model", model.toString(), "--turns", "5")) {
            assertThat(demo.exitCode(240)).as(demo.output()).isZero();
            assertThat(demo.output()).contains("model tiny-qwen");
        }
    }

    @Test
    void refusesWhatMakesNoSense() throws Exception {
        try (LauncherProcess demo = LauncherProcess.start("demo", "--turns", "2")) {
            assertThat(demo.exitCode(60)).isEqualTo(2);
            assertThat(demo.output()).contains("--turns must be from 5");
        }
        try (LauncherProcess demo = LauncherProcess.start("demo", "--model", "nowhere.gguf")) {
            assertThat(demo.exitCode(60)).isEqualTo(2);
            assertThat(demo.output()).contains("there is no model file nowhere.gguf");
        }
        Path damaged = folder.resolve("damaged.gguf");
        Files.writeString(damaged, "this is no model");
        try (LauncherProcess demo = LauncherProcess.start("demo", "--model", damaged.toString())) {
            assertThat(demo.exitCode(60)).isEqualTo(1);
            assertThat(demo.output()).contains("damaged.gguf").doesNotContain("\tat ");
        }
    }
}
