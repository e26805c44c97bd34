package io.millrace.job.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplyAssemblerTest {
    private final StringBuilder shown = new StringBuilder();
    private final ReplyAssembler reply = new ReplyAssembler(0, shown::append);

    @Test
    void putsTextAndUsageTogether() throws IOException {
        accept(1, "{\"choices\":[{\"delta\":{\"role\":\"assistant\"},\"finish_reason\":null}]}");
        accept(20, "{\"choices\":[{\"delta\":{\"content\":\"Hel\"}}]}");
        accept(30, "{\"choices\":[{\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"stop\"}]}");
        accept(
                31,
                "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3,"
                        + "\"prompt_tokens_details\":{\"cached_tokens\":4}}}");
        accept(40, "[DONE]");

        ChatReply result = reply.finish(40_000_000);

        assertThat(result).isEqualTo(new ChatReply("Hello", List.of(), "stop", 9, 4, 3, 20, 40));
        assertThat(result.tokensPerSecond()).isEqualTo(100);
        assertThat(shown).hasToString("Hello");
    }

    @Test
    void putsToolCallsTogetherByTheirIndex() throws IOException {
        accept(3, "{\"choices\":[{\"delta\":{}}],\"nvext\":{\"token_ids\":[7]}}");
        accept(
                5,
                "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"function\":"
                        + "{\"name\":\"calculate\",\"arguments\":\"{\\\"a\\\"\"}}]}}]}");
        accept(
                6,
                "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\":1}\"}}]},"
                        + "\"finish_reason\":\"tool_calls\"}]}");
        accept(7, "[DONE]");

        ChatReply result = reply.finish(7_000_000);

        assertThat(result.toolCalls()).containsExactly(new ChatReply.ToolCall("c1", "calculate", "{\"a\":1}"));
        assertThat(result.finishReason()).isEqualTo("tool_calls");
        assertThat(result.ttftMs()).isEqualTo(3);
    }

    @Test
    void errorsEndTheStream() {
        assertThatThrownBy(() -> accept(1, "{\"error\":{\"message\":\"it broke\"}}"))
                .hasMessage("it broke");
        assertThatThrownBy(() -> accept(1, "{")).hasMessageContaining("no JSON");
    }

    @Test
    void streamThatBreaksOffIsNoReply() {
        assertThatThrownBy(() -> reply.finish(1)).hasMessageContaining("ended before");
    }

    @Test
    void reportHasItsPublishedShape(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("deep/report.json");
        DemoReport report = new DemoReport("m", List.of(new ChatReply("x", List.of(), "stop", 9, 4, 3, 20.12345, 40)));

        report.write(file);

        JsonNode json = new ObjectMapper().readTree(file.toFile());
        assertThat(json.path("model").asText()).isEqualTo("m");
        assertThat(json.path("turns").path(0).toString())
                .isEqualTo("{\"prompt_tokens\":9,\"cached_tokens\":4,\"completion_tokens\":3,\"ttft_ms\":20.123,"
                        + "\"tokens_per_second\":100.621}");
        assertThat(report.table()).contains("TTFT ms", "20.1", "100.6");
    }

    private void accept(long atMs, String data) throws IOException {
        reply.accept(data, atMs * 1_000_000);
    }
}
