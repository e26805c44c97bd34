package io.millrace.job.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DemoToolsTest {
    private final DemoScript script = DemoScript.load();
    private final DemoTools tools = new DemoTools(script.files());

    @ParameterizedTest
    @CsvSource({
        "1 + 2 * 3, 7",
        "(1 + 2) * 3, 9",
        "-2 - -3, 1",
        "(701 - 412) / 412 * 100, 70.14563",
        "--4, 4",
        "0.5*4, 2"
    })
    void calculates(String expression, double value) {
        assertThat(Arithmetic.evaluate(expression)).isCloseTo(value, within(1e-4));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1 +", "(1", "1)", "a", "1 2", "1..2", "1/0", "2 ** 3"})
    void refusesWhatIsNoArithmetic(String expression) {
        assertThatThrownBy(() -> Arithmetic.evaluate(expression)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void refusesEndlessNesting() {
        assertThatThrownBy(() -> Arithmetic.evaluate("(".repeat(190))).hasMessageContaining("nested");
        assertThatThrownBy(() -> Arithmetic.evaluate("1+".repeat(1000))).hasMessageContaining("at most");
    }

    @Test
    void everyToolThatIsDefinedAnswers() {
        for (JsonNode tool : script.tools()) {
            String name = tool.path("function").path("name").asText();
            assertThat(run(name, "{}")).doesNotContain("there is no tool");
        }
    }

    @Test
    void everyStepNamesADefinedTool() {
        assertThat(script.tools().findValuesAsText("name"))
                .containsAll(script.steps().stream().map(DemoScript.Step::tool).toList());
    }

    @Test
    void looksAtFiles() {
        assertThat(run("list_files", "{\"directory\":\"logs\"}")).isEqualTo("logs/ingest.log  12 lines\n");
        assertThat(run("read_file", "{\"path\":\"config/ingest.yaml\",\"first_line\":2,\"line_count\":2}"))
                .isEqualTo("2:   partitions: 18\n3:   parallelism: 2\n");
        assertThat(run("search_files", "{\"text\":\"error\"}")).contains("logs/ingest.log:6:");
        assertThat(run("count_log_levels", "{\"path\":\"logs/ingest.log\"}")).contains("ERROR=2", "WARN=3");
        assertThat(run("column_statistics", "{\"path\":\"reports/runs.csv\",\"column\":\"seconds\"}"))
                .contains("min 412, max 701", "first 412, last 701");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "read_file|{\"path\":\"nowhere\"}|there is no file 'nowhere'",
                "read_file|{\"path\":\"README.md\",\"first_line\":99}|only",
                "read_file|nonsense|no JSON",
                "read_file|[1]|must be a JSON object",
                "list_files|{\"directory\":\"secret\"}|no directory",
                "column_statistics|{\"path\":\"reports/runs.csv\",\"column\":\"x\"}|there is no x",
                "fly|{}|no tool fly"
            })
    void mistakesAreAnswered(String name, String arguments, String expected) {
        assertThat(run(name, arguments)).startsWith("error: ").contains(expected);
    }

    private String run(String name, String arguments) {
        return tools.run(new ChatReply.ToolCall("1", name, arguments));
    }
}
