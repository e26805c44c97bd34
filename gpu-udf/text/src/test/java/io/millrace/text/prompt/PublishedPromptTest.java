package io.millrace.text.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.Tool;
import io.millrace.proto.ToolCall;
import io.millrace.proto.ToolChoice;
import io.millrace.text.output.OutputDelta;
import io.millrace.text.output.OutputParser;
import io.millrace.text.template.TestingTemplates;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Published templates, with the agent's kind of conversation. */
class PublishedPromptTest {
    private static final String TOOL =
            "{\"type\":\"function\",\"function\":{\"name\":\"lookup\",\"description\":\"finds\",\"parameters\":"
                    + "{\"type\":\"object\",\"properties\":{\"key\":{\"type\":\"string\",\"description\":\"what\"}},"
                    + "\"required\":[\"key\"]}}}";

    private static final ChatRequest AGENT = ChatRequest.newBuilder()
            .addMessages(message("system", "system-text"))
            .addMessages(message("user", "question-text"))
            .addMessages(ChatMessage.newBuilder()
                    .setRole("assistant")
                    .addToolCalls(ToolCall.newBuilder()
                            .setId("call_1")
                            .setName("lookup")
                            .setArgumentsJson("{\"key\":\"argument-text\"}")))
            .addMessages(message("tool", "result-text").toBuilder()
                    .setToolCallId("call_1")
                    .setName("lookup"))
            .addTools(Tool.newBuilder().setName("lookup").setDefinitionJson(TOOL))
            .build();

    private static ChatMessage message(String role, String content) {
        return ChatMessage.newBuilder().setRole(role).setContent(content).build();
    }

    private static PromptRenderer renderer(String template) {
        return new PromptRenderer(TestingTemplates.compile(template), "<s>", "</s>", UnaryOperator.identity());
    }

    @ParameterizedTest
    @CsvSource({
        "HuggingFaceTB-SmolLM2-135M-Instruct, hermes",
        "meta-llama-Llama-3.1-8B-Instruct, llama3-json",
        "meta-llama-Llama-3.2-3B-Instruct, llama3-json",
        "Qwen-Qwen2.5-7B-Instruct, hermes",
        "Qwen-Qwen3-0.6B, hermes+think",
        "Qwen-Qwen3-4B-Thinking-2507, hermes+think-opened",
        "mistralai-Mistral-7B-Instruct-v0.2, hermes",
        "mistralai-Mistral-7B-Instruct-v0.3, mistral",
        "mistralai-Mistral-Nemo-Instruct-2407, mistral",
        "google-gemma-2-2b-it, hermes",
        "unsloth-gemma-3-270m-it, hermes",
        "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B, hermes+think",
        "NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use, hermes",
        "microsoft-Phi-3.5-mini-instruct, hermes",
    })
    void familiesHaveTheirFormats(String name, String format) {
        PromptRenderer renderer = renderer(TestingTemplates.published().get(name));
        RenderedPrompt prompt = renderer.render(AGENT);
        assertThat(prompt.format().wireName()).isEqualTo(format);
        assertThat(prompt.text()).contains("question-text", "lookup", "argument-text", "result-text");
        ChatRequest forced = AGENT.toBuilder()
                .setToolChoice(
                        ToolChoice.newBuilder().setMode(ToolChoice.Mode.NAMED).setName("lookup"))
                .build();
        RenderedPrompt named = renderer.render(forced);
        assertThat(named.text()).isEqualTo(prompt.text() + named.forcedPrefix());
        OutputParser parser = new OutputParser(named.format(), "request", List.of("lookup"), named.forcedPrefix());
        parser.accept("{\"key\": \"x\"}");
        OutputDelta end = parser.finish();
        assertThat(end.content()).isEmpty();
        assertThat(end.toolCalls()).singleElement().satisfies(call -> {
            assertThat(call.getName()).isEqualTo("lookup");
            assertThat(call.getArgumentsJson()).isEqualTo("{\"key\": \"x\"}");
        });
    }

    @Test
    void everyTemplateRendersOrRefuses() {
        List<String> refused = new ArrayList<>();
        List<String> incomplete = new ArrayList<>();
        Map<String, String> published = TestingTemplates.published();
        published.forEach((name, source) -> {
            try {
                String text = renderer(source).render(AGENT).text();
                if (!text.contains("question-text")
                        || !text.contains("argument-text")
                        || !text.contains("result-text")) {
                    incomplete.add(name);
                }
            } catch (ServingException e) {
                assertThat(e.code()).as(name).isIn(ErrorCode.TEMPLATE_REFUSED, ErrorCode.MODEL_FILE_INVALID);
                refused.add(name + ": " + e.getMessage());
            }
        });
        System.out.println(incomplete);
        assertThat(refused.size() + incomplete.size())
                .as("refused %s, incomplete %s", refused, incomplete)
                .isLessThan(published.size() / 20);
    }
}
