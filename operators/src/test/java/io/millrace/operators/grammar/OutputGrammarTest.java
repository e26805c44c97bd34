package io.millrace.operators.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.millrace.engine.Constraint;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.AnyJsonObject;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.ChoiceList;
import io.millrace.proto.OutputConstraint;
import io.millrace.proto.OutputRules;
import io.millrace.proto.Tool;
import io.millrace.proto.ToolChoice;
import io.millrace.text.output.OutputFormat;
import io.millrace.text.output.OutputParser;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which outputs requests allow, in the words of each family of models. */
class OutputGrammarTest {
    private static final String SCHEMA = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},"
            + "\"required\":[\"a\"],\"additionalProperties\":false}";
    private static final String UNSUPPORTED = "{\"type\":\"object\",\"properties\":{\"a\":{\"not\":{\"minimum\":5}}}}";

    private final OutputGrammars grammars = new OutputGrammars(new TestingByteTokens());

    /** Whether a text is a whole output of a request's. */
    private boolean allows(String format, ChatRequest chat, String text) {
        OutputRules rules = OutputDemands.of(chat, OutputFormat.named(format));
        Constraint state = grammars.constraint(format, rules);
        assertThat(state).isNotNull();
        for (byte octet : text.getBytes(StandardCharsets.UTF_8)) {
            boolean allowed = has(state.allowed(), octet & 0xFF);
            Constraint next = state.after(octet & 0xFF);
            assertThat(next != null).isEqualTo(allowed);
            if (next == null) {
                return false;
            }
            state = next;
        }
        return has(state.allowed(), TestingByteTokens.END);
    }

    private static boolean has(long[] mask, int token) {
        return token / 64 < mask.length && (mask[token / 64] >>> (token % 64) & 1) != 0;
    }

    private static Tool tool(String name, boolean strict, String schema) {
        return Tool.newBuilder()
                .setName(name)
                .setDefinitionJson("{\"type\":\"function\",\"function\":{\"name\":\"" + name + "\",\"strict\":" + strict
                        + ",\"parameters\":" + schema + "}}")
                .build();
    }

    private static ChatRequest.Builder tools(ToolChoice.Mode mode, Tool... tools) {
        return ChatRequest.newBuilder()
                .addAllTools(List.of(tools))
                .setToolChoice(ToolChoice.newBuilder().setMode(mode));
    }

    private static ChatRequest content(OutputConstraint.Builder constraint) {
        return ChatRequest.newBuilder().setOutputConstraint(constraint).build();
    }

    @Test
    void contentHasTheFormThatIsDemanded() {
        ChatRequest schema = content(OutputConstraint.newBuilder().setJsonSchema(SCHEMA));
        assertThat(allows("", schema, "{\"a\": 12}")).isTrue();
        assertThat(allows("", schema, "{\"a\": \"x\"}")).isFalse();
        assertThat(allows("", schema, "{\"a\": 12}\n\nthere")).isFalse();
        assertThat(allows("", schema, "{}")).isFalse();
        ChatRequest object = content(OutputConstraint.newBuilder().setJsonObject(AnyJsonObject.getDefaultInstance()));
        assertThat(allows("", object, "{\"b\": [1, {\"c\": null}]}")).isTrue();
        assertThat(allows("", object, "[1]")).isFalse();
        ChatRequest regex = content(OutputConstraint.newBuilder().setRegex("a+|b"));
        assertThat(allows("", regex, "aaa")).isTrue();
        assertThat(allows("", regex, "xaaa")).isFalse();
        assertThat(allows("", regex, "b")).isTrue();
        assertThat(allows("", regex, "bb")).isFalse();
        ChatRequest ebnf = content(OutputConstraint.newBuilder().setEbnf("root ::= \"(\" root \")\" | \"x\""));
        assertThat(allows("", ebnf, "((x))")).isTrue();
        assertThat(allows("", ebnf, "((x)")).isFalse();
        ChatRequest choice = content(OutputConstraint.newBuilder()
                .setChoice(ChoiceList.newBuilder().addTexts("yes").addTexts("\u00e9t\u00e9")));
        assertThat(allows("", choice, "\u00e9t\u00e9")).isTrue();
        assertThat(allows("", choice, "no")).isFalse();
    }

    @Test
    void modelsThinkBeforeTheForm() {
        ChatRequest schema = content(OutputConstraint.newBuilder().setJsonSchema(SCHEMA));
        assertThat(allows("plain+think", schema, "{\"a\": 1}")).isTrue();
        assertThat(allows("plain+think", schema, "<think>\nhm < 2 </thin\n</think>\n\n{\"a\": 1}"))
                .isTrue();
        assertThat(allows("plain+think", schema, "<think>hm{\"a\": 1}")).isFalse();
        assertThat(allows("plain+think-opened", schema, "\nhm\n</think>\n\n{\"a\": 1}"))
                .isTrue();
        assertThat(allows("plain+think-opened", schema, "{\"a\": 1}")).isFalse();
    }

    @Test
    void callsThatMustBeMadeBeginBehindTheirPrefix() {
        ChatRequest one =
                tools(ToolChoice.Mode.REQUIRED, tool("get", false, SCHEMA)).build();
        assertThat(allows("hermes", one, " {\"a\": 1}}\n</tool_call>")).isTrue();
        assertThat(allows("hermes", one, " {\"b\": 1}}\n</tool_call>")).isFalse();
        assertThat(allows(
                        "hermes",
                        one,
                        " {\"a\": 1}}\n</tool_call>\n<tool_call>\n{\"name\": \"get\", \"arguments\": {\"a\": 2}}\n"
                                + "</tool_call>"))
                .isTrue();
        ChatRequest single = one.toBuilder().setSingleToolCall(true).build();
        assertThat(allows(
                        "hermes",
                        single,
                        " {\"a\": 1}}\n</tool_call>\n<tool_call>\n{\"name\": \"get\", \"arguments\": {\"a\": 2}}\n"
                                + "</tool_call>"))
                .isFalse();
        assertThat(allows("llama3-json", one, " {\"a\": 1}}; {\"name\": \"get\", \"parameters\": {\"a\": 2}}"))
                .isTrue();
        assertThat(allows("mistral", one, " {\"a\": 1}}, {\"name\": \"get\", \"arguments\": {\"a\": 2}}]"))
                .isTrue();
        ChatRequest two = tools(ToolChoice.Mode.REQUIRED, tool("get", false, SCHEMA), tool("put", false, UNSUPPORTED))
                .build();
        assertThat(allows("hermes", two, "get\", \"arguments\": {\"a\": 1}}\n</tool_call>"))
                .isTrue();
        // What is not supported, and not strict, is any object.
        assertThat(allows("hermes", two, "put\", \"arguments\": {\"z\": [1]}}\n</tool_call>"))
                .isTrue();
        assertThat(allows("hermes", two, "cut\", \"arguments\": {}}\n</tool_call>"))
                .isFalse();
        ChatRequest named = two.toBuilder()
                .setToolChoice(
                        ToolChoice.newBuilder().setMode(ToolChoice.Mode.NAMED).setName("get"))
                .build();
        assertThat(allows("hermes", named, " {\"a\": 1}}\n</tool_call>")).isTrue();
    }

    @Test
    void strictToolsAreCalledInTextThatIsFree() {
        ChatRequest auto = tools(ToolChoice.Mode.AUTO, tool("get", true, SCHEMA), tool("put", false, SCHEMA))
                .build();
        String call = "<tool_call>\n{\"name\": \"get\", \"arguments\": {\"a\": 1}}\n</tool_call>";
        String other = "<tool_call>\n{\"name\": \"put\", \"arguments\": {\"z\": 1}}\n</tool_call>";
        assertThat(allows("hermes", auto, "Just text, with <tool_ca and {\"a\": \u00e9}"))
                .isTrue();
        assertThat(allows("hermes", auto, "I look.\n" + call + "\n" + other + " done"))
                .isTrue();
        assertThat(allows("hermes", auto, "<tool_call>\n{\"name\": \"get\", \"arguments\": {\"b\": 1}}\n</tool_call>"))
                .isFalse();
        assertThat(allows("hermes", auto, "<tool_call>get()</tool_call>")).isFalse();
        assertThat(allows("hermes", auto.toBuilder().setSingleToolCall(true).build(), call + "\n" + other))
                .isFalse();
        assertThat(allows("mistral", auto, "So.[TOOL_CALLS] [{\"name\": \"get\", \"arguments\": {\"a\": 1}}]"))
                .isTrue();
        assertThat(allows("mistral", auto, "[TOOL_CALLS]get[ARGS]{\"a\": 1}[TOOL_CALLS]put[ARGS]{}"))
                .isTrue();
        assertThat(allows("mistral", auto, "[TOOL_CALLS]get[ARGS]{}")).isFalse();
        assertThat(allows("llama3-json", auto, "Text, and {\"a\": 1}")).isTrue();
        assertThat(allows("llama3-json", auto, "{\"name\": \"get\", \"parameters\": {\"a\": 1}}"))
                .isTrue();
        assertThat(allows("llama3-json", auto, "{\"name\": \"get\", \"parameters\": {}}"))
                .isFalse();
        assertThat(allows("llama3-json", auto, "So <|python_tag|>{\"name\": \"put\", \"parameters\": {}}"))
                .isTrue();
    }

    @Test
    void whatIsAllowedIsReadAsCalls() {
        ChatRequest auto =
                tools(ToolChoice.Mode.AUTO, tool("get", true, SCHEMA)).build();
        for (String[] output : new String[][] {
            {"hermes", "I look.\n<tool_call>\n{\"name\": \"get\", \"arguments\": {\"a\": 1}}\n</tool_call>"},
            {"mistral", "So.[TOOL_CALLS][{\"name\": \"get\", \"arguments\": {\"a\": 1}}]"},
            {"mistral", "[TOOL_CALLS]get[ARGS]{\"a\": 1}"},
            {"llama3-json", "<|python_tag|>{\"name\": \"get\", \"parameters\": {\"a\": 1}}"},
            {"llama3-json", "{\"name\": \"get\", \"parameters\": {\"a\": 1}}"}
        }) {
            assertThat(allows(output[0], auto, output[1])).as(output[1]).isTrue();
            OutputParser parser = new OutputParser(OutputFormat.named(output[0]), "r", List.of("get"), "", true);
            assertThat(parser.accept(output[1]).callDeltas()).as(output[1]).hasSize(1);
            parser.finish();
            assertThat(parser.toolCallCount()).isEqualTo(1);
        }
    }

    @Test
    void formAndToolsAreAlternatives() {
        ChatRequest both = tools(ToolChoice.Mode.AUTO, tool("get", false, SCHEMA))
                .setOutputConstraint(OutputConstraint.newBuilder().setRegex("[0-9]+"))
                .build();
        assertThat(allows("hermes", both, "42")).isTrue();
        assertThat(allows("hermes", both, "<tool_call>\n{\"name\": \"get\", \"arguments\": {\"z\": 1}}\n</tool_call>"))
                .isTrue();
        assertThat(allows("hermes", both, "text")).isFalse();
    }

    @Test
    void freeOutputsHaveNoGrammar() {
        ChatRequest free =
                tools(ToolChoice.Mode.AUTO, tool("get", false, SCHEMA)).build();
        OutputRules rules = OutputDemands.of(free, OutputFormat.named("hermes"));
        assertThat(rules).isEqualTo(OutputRules.getDefaultInstance());
        assertThat(grammars.constraint("hermes", rules)).isNull();
    }

    @Test
    void whatIsNotSupportedIsRefusedByItsPath() {
        refused(
                tools(ToolChoice.Mode.AUTO, tool("get", false, SCHEMA), tool("put", true, UNSUPPORTED))
                        .build(),
                "hermes",
                "tools[1].function.parameters");
        refused(
                tools(ToolChoice.Mode.AUTO, tool("put", true, "{\"type\":\"array\"}"))
                        .build(),
                "hermes",
                "tools[0].function.parameters.type");
        refused(tools(ToolChoice.Mode.AUTO, tool("put", true, SCHEMA)).build(), "plain", "tools");
        refused(
                content(OutputConstraint.newBuilder().setJsonSchema(UNSUPPORTED).setParam("guided_json")),
                "",
                "guided_json");
        refused(content(OutputConstraint.newBuilder().setRegex("(?=a)").setParam("guided_regex")), "", "guided_regex");
        refused(content(OutputConstraint.newBuilder().setParam("x")), "", "x");
    }

    private void refused(ChatRequest chat, String format, String path) {
        ServingException refused = catchThrowableOfType(
                ServingException.class,
                () -> grammars.constraint(format, OutputDemands.of(chat, OutputFormat.named(format))));
        assertThat(refused).isNotNull();
        assertThat(refused.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(refused.param()).startsWith(path);
    }

    @Test
    void grammarsAreKept() {
        OutputRules rules =
                OutputDemands.of(content(OutputConstraint.newBuilder().setJsonSchema(SCHEMA)), OutputFormat.PLAIN);
        Constraint first = grammars.constraint("", rules);
        assertThat(grammars.isReady("", rules)).isTrue();
        for (int i = 0; i < OutputGrammars.GRAMMARS_MAX - 1; i++) {
            assertThat(grammars.isReady("", rules(i))).isFalse();
            grammars.constraint("", rules(i));
        }
        assertThat(grammars.constraint("", rules)).isEqualTo(first);
    }

    private static OutputRules rules(int number) {
        return OutputRules.newBuilder()
                .setContent(OutputConstraint.newBuilder().setRegex("a{" + number + "}"))
                .build();
    }
}
