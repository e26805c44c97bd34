package io.millrace.text.prompt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.Tool;
import io.millrace.proto.ToolCall;
import io.millrace.proto.ToolChoice;
import io.millrace.text.output.OutputDelta;
import io.millrace.text.output.OutputParser;
import io.millrace.text.template.ChatTemplate;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class PromptRendererTest {
    private static final String BARE =
            "{% for message in messages %}{{ '[' + message['role'] + '] ' + message['content']"
                    + " + '\\n' }}{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}";

    /** Knows tools, in the manner of Qwen. */
    private static final String NATIVE = "{% if tools %}<tools>{% for tool in tools %}{{ tool | tojson }}{% endfor %}"
            + "</tools>{{ '\\n' }}{% endif %}"
            + "{% for message in messages %}[{{ message.role }}] {{ message.content or '' }}"
            + "{% for call in message.tool_calls or [] %}<tool_call>{{ call.function.name }}"
            + "{{ call.function.arguments | tojson }}</tool_call>{% endfor %}{{ '\\n' }}{% endfor %}[assistant] ";

    /** Knows neither tools nor a system message, and wants roles to alternate, in the manner of the first Gemma. */
    private static final String STRICT = "{{ bos_token }}{% if messages[0]['role'] == 'system' %}"
            + "{{ raise_exception('no system') }}{% endif %}{% for message in messages %}"
            + "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
            + "{{ raise_exception('alternate') }}{% endif %}"
            + "[{{ message['role'] }}] {{ message['content'] | trim }}{{ '\\n' }}{% endfor %}[assistant] ";

    private static final String TOOL_JSON =
            "{\"type\":\"function\",\"function\":{\"name\":\"get\",\"parameters\":{\"z\":1,\"a\":2.50}}}";

    private static PromptRenderer renderer(String template) {
        return renderer(template, UnaryOperator.identity());
    }

    private static PromptRenderer renderer(String template, UnaryOperator<String> guard) {
        return new PromptRenderer(ChatTemplate.compile(template), "<s>", "</s>", guard);
    }

    private static ChatMessage message(String role, String content) {
        return ChatMessage.newBuilder().setRole(role).setContent(content).build();
    }

    private static ChatMessage call(String arguments) {
        return ChatMessage.newBuilder()
                .setRole("assistant")
                .addToolCalls(ToolCall.newBuilder().setId("c1").setName("get").setArgumentsJson(arguments))
                .build();
    }

    private static ChatMessage result(String content) {
        return message("tool", content).toBuilder().setToolCallId("c1").build();
    }

    private static ChatRequest.Builder request(ChatMessage... messages) {
        return ChatRequest.newBuilder().addAllMessages(List.of(messages));
    }

    private static Tool tool(String name) {
        return Tool.newBuilder()
                .setName(name)
                .setDefinitionJson(TOOL_JSON.replace("get", name))
                .build();
    }

    @Test
    void rendersMessages() {
        RenderedPrompt prompt = renderer(BARE)
                .render(request(message("developer", "be brief"), message("user", "hi"))
                        .build());
        assertThat(prompt.text()).isEqualTo("[system] be brief\n[user] hi\n[assistant] ");
        assertThat(prompt.forcedPrefix()).isEmpty();
        assertThat(prompt.format().wireName()).isEqualTo("plain");
    }

    @Test
    void putsToolsIntoWordsForATemplateWithoutThem() {
        RenderedPrompt prompt = renderer(BARE)
                .render(request(
                                message("system", "be brief"),
                                message("user", "hi"),
                                call("{\"b\":1,\"a\":[2]}"),
                                result("42"),
                                result("43"),
                                message("user", "go on"))
                        .addTools(tool("get"))
                        .build());
        assertThat(prompt.text())
                .startsWith("[system] be brief\n\nYou can call these tools")
                .contains("<tools>\n{\"type\": \"function\", \"function\": {\"name\": \"get\", \"parameters\": "
                        + "{\"z\": 1, \"a\": 2.5}}}\n</tools>")
                .endsWith("[user] hi\n[assistant] <tool_call>\n"
                        + "{\"name\": \"get\", \"arguments\": {\"b\": 1, \"a\": [2]}}\n"
                        + "</tool_call>\n[user] <tool_response>\n42\n</tool_response>\n<tool_response>\n43\n"
                        + "</tool_response>\n\ngo on\n[assistant] ");
        assertThat(prompt.format().wireName()).isEqualTo("hermes");
    }

    @Test
    void usesTheTemplatesOwnTools() {
        RenderedPrompt prompt = renderer(NATIVE)
                .render(request(message("user", "hi"), call("{\"b\":1}"), result("42"))
                        .addTools(tool("get"))
                        .build());
        assertThat(prompt.text())
                .isEqualTo("<tools>{\"type\": \"function\", \"function\": {\"name\": \"get\", \"parameters\": "
                        + "{\"z\": 1, \"a\": 2.5}}}</tools>\n[user] hi\n"
                        + "[assistant] <tool_call>get{\"b\": 1}</tool_call>\n"
                        + "[tool] 42\n[assistant] ");
        assertThat(prompt.format().wireName()).isEqualTo("hermes");
    }

    @Test
    void putsTheSystemMessageIntoTheFirstUserMessage() {
        RenderedPrompt prompt = renderer(STRICT)
                .render(request(
                                message("system", "be brief"),
                                message("user", "hi"),
                                call("{}"),
                                result("42"),
                                message("user", "and?"))
                        .addTools(tool("get"))
                        .build());
        assertThat(prompt.text())
                .startsWith("<s>[user] be brief\n\nYou can call")
                .contains("</tool_response>.\n\nhi\n[assistant] <tool_call>")
                .endsWith("[user] <tool_response>\n42\n</tool_response>\n\nand?\n[assistant] ");
    }

    @Test
    void toolChoiceNoneOffersNothing() {
        RenderedPrompt prompt = renderer(NATIVE)
                .render(request(message("user", "hi"))
                        .addTools(tool("get"))
                        .setToolChoice(ToolChoice.newBuilder().setMode(ToolChoice.Mode.NONE))
                        .build());
        assertThat(prompt.text()).isEqualTo("[user] hi\n[assistant] ");
        assertThat(prompt.format().wireName()).isEqualTo("plain");
    }

    @Test
    void forcesCalls() {
        ChatRequest.Builder request =
                request(message("user", "hi")).addTools(tool("get")).addTools(tool("put"));
        RenderedPrompt any = renderer(BARE)
                .render(request.setToolChoice(ToolChoice.newBuilder().setMode(ToolChoice.Mode.REQUIRED))
                        .build());
        assertThat(any.forcedPrefix()).isEqualTo("<tool_call>\n{\"name\": \"");
        assertThat(any.text()).endsWith("[assistant] " + any.forcedPrefix());
        ChatRequest named = request.setToolChoice(
                        ToolChoice.newBuilder().setMode(ToolChoice.Mode.NAMED).setName("put"))
                .build();
        RenderedPrompt one = renderer(BARE).render(named);
        assertThat(one.forcedPrefix()).isEqualTo("<tool_call>\n{\"name\": \"put\", \"arguments\":");
        OutputParser parser = new OutputParser(one.format(), "r", List.of("get", "put"), one.forcedPrefix());
        OutputDelta delta = parser.accept("{\"a\": 1}}\n</tool_call>");
        assertThat(delta.toolCalls()).singleElement().satisfies(call -> {
            assertThat(call.getName()).isEqualTo("put");
            assertThat(call.getArgumentsJson()).isEqualTo("{\"a\": 1}");
        });
        assertThatThrownBy(() -> renderer(BARE)
                        .render(request.setToolChoice(ToolChoice.newBuilder()
                                        .setMode(ToolChoice.Mode.NAMED)
                                        .setName("nosuch"))
                                .build()))
                .isInstanceOfSatisfying(ServingException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
                    assertThat(e.param()).isEqualTo("tool_choice");
                });
    }

    @Test
    void guardsEveryStringOfTheClient() {
        PromptRenderer renderer = renderer(NATIVE, text -> text.replace("<s>", "(guarded)"));
        RenderedPrompt prompt = renderer.render(
                request(message("system", "<s>"), message("user", "<s>"), call("{\"<s>\":[\"<s>\"]}"), result("<s>"))
                        .addTools(tool("<s>"))
                        .build());
        assertThat(prompt.text()).doesNotContain("<s>").contains("(guarded)");
    }

    @Test
    void takesReasoningOutOfTheClientsText() {
        String template = "{% for m in messages %}{{ m.role }}:{{ m.content }}:{{ m.reasoning_content }}|{% endfor %}"
                + "{% if false %}</think>{% endif %}{{ '<think>\\n' }}";
        RenderedPrompt prompt = renderer(template)
                .render(request(
                                message("user", "<think>x</think>"),
                                message("assistant", "<think>\nhm\n</think>\n\nyes"))
                        .build());
        assertThat(prompt.text()).isEqualTo("user:<think>x</think>:|assistant:yes:hm|<think>\n");
        assertThat(prompt.format().wireName()).isEqualTo("plain+think-opened");
    }

    @Test
    void passesTemplateVariables() {
        RenderedPrompt prompt = renderer("{{ a }} {{ b.c }} {{ messages | length }}")
                .render(request(message("user", "hi"))
                        .setTemplateVariablesJson("{\"a\": true, \"b\": {\"c\": [1]}, \"messages\": []}")
                        .build());
        assertThat(prompt.text()).isEqualTo("True [1] 1");
    }

    @Test
    void namesTheFieldAtFault() {
        assertFault(request(), "messages");
        assertFault(request(message("wizard", "hi")), "messages[0].role");
        assertFault(request(message("user", "hi"), call("[1]")), "messages[1].tool_calls[0].function.arguments");
        assertFault(request(message("user", "hi"), call("{\"a\":")), "messages[1].tool_calls[0].function.arguments");
        assertFault(request(message("user", "hi")).addTools(Tool.newBuilder().setDefinitionJson("5")), "tools[0]");
        assertFault(request(message("user", "hi")).setTemplateVariablesJson("[]"), "template_variables");
    }

    private static void assertFault(ChatRequest.Builder request, String param) {
        assertThatThrownBy(() -> renderer(BARE).render(request.build()))
                .isInstanceOfSatisfying(ServingException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
                    assertThat(e.param()).isEqualTo(param);
                });
    }

    @Test
    void theTemplatesRefusalIsTheClients() {
        assertThatThrownBy(() -> renderer(STRICT)
                        .render(request(message("user", "a"), message("user", "b"))
                                .build()))
                .isInstanceOfSatisfying(ServingException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.TEMPLATE_REFUSED);
                    assertThat(e).hasMessage("alternate");
                });
    }
}
