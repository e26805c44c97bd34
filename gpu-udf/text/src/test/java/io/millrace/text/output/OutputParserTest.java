package io.millrace.text.output;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.proto.ToolCall;
import io.millrace.proto.ToolCallDelta;
import io.millrace.text.output.OutputFormat.Reasoning;
import io.millrace.text.output.OutputFormat.ToolCallSyntax;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class OutputParserTest {
    private static final String REQUEST = "request-1";

    /** What a whole output comes to. */
    private record Total(String content, String reasoning, List<String> calls) {}

    private static Total total(OutputFormat format, String forced, List<String> pieces) {
        OutputParser parser = new OutputParser(format, REQUEST, List.of("get", "put"), forced);
        StringBuilder content = new StringBuilder();
        StringBuilder reasoning = new StringBuilder();
        List<String> calls = new ArrayList<>();
        for (int i = 0; i <= pieces.size(); i++) {
            OutputDelta delta = i < pieces.size() ? parser.accept(pieces.get(i)) : parser.finish();
            content.append(delta.content());
            reasoning.append(delta.reasoning());
            for (ToolCall call : delta.toolCalls()) {
                calls.add(call.getName() + call.getArgumentsJson());
            }
        }
        return new Total(content.toString(), reasoning.toString(), calls);
    }

    private static Total total(String format, String text) {
        return total(OutputFormat.named(format), "", List.of(text));
    }

    private static Total content(String content) {
        return new Total(content, "", List.of());
    }

    private static Total calls(String... calls) {
        return new Total("", "", List.of(calls));
    }

    @Test
    void plainTextIsContent() {
        assertThat(total("plain", " a <tool_call>{} <think> [TOOL_CALLS] \n"))
                .isEqualTo(content(" a <tool_call>{} <think> [TOOL_CALLS] \n"));
        assertThat(total("hermes", " a {} </tool_call> <tool_cal \n"))
                .isEqualTo(content(" a {} </tool_call> <tool_cal \n"));
    }

    @Test
    void readsHermesCalls() {
        assertThat(total(
                        "hermes", "<tool_call>\n{\"name\": \"get\", \"arguments\": {\"a\": [1, \"}\"]}}\n</tool_call>"))
                .isEqualTo(calls("get{\"a\": [1, \"}\"]}"));
        assertThat(total(
                        "hermes",
                        "\n <tool_call>{\"arguments\":{},\"name\":\"get\"}</tool_call>\n"
                                + "<tool_call>{\"name\":\"x\",\"arguments\":\"{\\\"k\\\":1}\"}</tool_call> \n"))
                .isEqualTo(calls("get{}", "x{\"k\":1}"));
        assertThat(total("hermes", "Let me see.\n<tool_call>{\"name\":\"get\"}</tool_call> done"))
                .isEqualTo(new Total("Let me see. done", "", List.of("get{}")));
        assertThat(total("hermes", "<tool_call>[{\"name\":\"get\"},{\"name\":\"put\",\"parameters\":{}}]</tool_call>"))
                .isEqualTo(calls("get{}", "put{}"));
        assertThat(total("hermes", "<tool_call>{\"name\":\"get\",\"arguments\":{\"t\":\"</tool_call>\"}}</tool_call>"))
                .isEqualTo(calls("get{\"t\":\"</tool_call>\"}"));
        assertThat(total("hermes", "<tool_call>{\"name\":\"get\",\"arguments\":{\"t\":\"a\nb\"}}</tool_call>"))
                .isEqualTo(calls("get{\"t\":\"a\\nb\"}"));
        assertThat(total("hermes", "<tool_call>{\"name\":\"get\",\"arguments\":{}}"))
                .isEqualTo(calls("get{}"));
    }

    @Test
    void brokenHermesCallsStayText() {
        for (String text : List.of(
                "<tool_call>get()</tool_call>",
                " <tool_call>{\"name\":\"get\",\"arguments\":{</tool_call> after",
                "<tool_call>{\"name\": 5}</tool_call>",
                "<tool_call>{\"name\":\"get\",\"arguments\":[1]}</tool_call>",
                "<tool_call>{\"name\":\"get\",\"arguments\":\"no\"}</tool_call>",
                "<tool_call>{\"name\":\"get\"}}</tool_call>",
                "<tool_call>[]</tool_call>",
                "<tool_call>{\"name\":\"get\",\"arguments\":{\"a\":\"unfinished",
                "<tool_call><tool_call><tool_call>{\"",
                "<tool_call>")) {
            assertThat(total("hermes", text)).as(text).isEqualTo(content(text));
        }
        assertThat(total("hermes", "<tool_call>{<tool_call>{\"name\":\"get\"}</tool_call>"))
                .isEqualTo(new Total("<tool_call>{", "", List.of("get{}")));
    }

    @Test
    void readsLlamaCalls() {
        assertThat(total("llama3-json", "{\"name\": \"get\", \"parameters\": {\"a\": 1}}"))
                .isEqualTo(calls("get{\"a\": 1}"));
        assertThat(total(
                        "llama3-json",
                        "<|python_tag|>{\"type\":\"function\",\"name\":\"get\",\"parameters\":{}}; "
                                + "{\"name\":\"put\",\"parameters\":{}}\n"))
                .isEqualTo(calls("get{}", "put{}"));
        for (String text : List.of(
                "{\"name\": \"other\", \"parameters\": {}}",
                "{\"answer\": 42} is it",
                "text {\"name\": \"get\", \"parameters\": {}}",
                "<|python_tag|>print(1)",
                " {\"name\": \"get\", ")) {
            assertThat(total("llama3-json", text)).as(text).isEqualTo(content(text));
        }
    }

    @Test
    void readsMistralCalls() {
        assertThat(total(
                        "mistral",
                        "[TOOL_CALLS] [{\"name\": \"get\", \"arguments\": {\"a\": 1}}, {\"name\": \"put\"}]"))
                .isEqualTo(calls("get{\"a\": 1}", "put{}"));
        assertThat(total("mistral", "[TOOL_CALLS]get[ARGS]{\"a\": 1}[TOOL_CALLS]put{\"b\":2}"))
                .isEqualTo(calls("get{\"a\": 1}", "put{\"b\":2}"));
        for (String text : List.of("[TOOL_CALLS] [{\"name\": \"get\"}", "[TOOL_CALL", "[TOOL_CALLS] no", "[1, 2]")) {
            assertThat(total("mistral", text)).as(text).isEqualTo(content(text));
        }
    }

    @Test
    void separatesReasoning() {
        assertThat(total("hermes+think", "<think>\nhm, 1 < 2\n\n</think>\n\nDone\n"))
                .isEqualTo(new Total("Done\n", "hm, 1 < 2", List.of()));
        assertThat(total("hermes+think", "\n<think>\n\n</think>\n\n<tool_call>{\"name\":\"get\"}</tool_call>"))
                .isEqualTo(calls("get{}"));
        assertThat(total("plain+think-opened", "\nhm</think>Done")).isEqualTo(new Total("Done", "hm", List.of()));
        assertThat(total("plain+think", "<think>endless")).isEqualTo(new Total("", "endless", List.of()));
        assertThat(total("plain+think", "no <think>tag</think>")).isEqualTo(content("no <think>tag</think>"));
    }

    @Test
    void completesForcedCalls() {
        OutputFormat hermes = OutputFormat.named("hermes+think");
        String prefix = "<tool_call>\n{\"name\": \"get\", \"arguments\": ";
        assertThat(total(hermes, prefix, List.of("{\"a\": 1}}\n</tool_call>"))).isEqualTo(calls("get{\"a\": 1}"));
        assertThat(total(hermes, prefix, List.of("{\"a\": 1}"))).isEqualTo(calls("get{\"a\": 1}"));
        assertThat(total(hermes, prefix, List.of("{\"a\": \"b"))).isEqualTo(calls("get{\"a\": \"b\"}"));
        assertThat(total(hermes, prefix, List.of("{\"a\": 1}\n</tool_call>"))).isEqualTo(calls("get{\"a\": 1}"));
        assertThat(total(hermes, prefix, List.of("no"))).isEqualTo(content(prefix + "no"));
        assertThat(total(
                        OutputFormat.named("hermes+think-opened"),
                        "\n</think>\n\n" + prefix,
                        List.of("{}}</tool_call>")))
                .isEqualTo(calls("get{}"));
    }

    /** What comes of pieces as calls in deltas, each as name and arguments, and as whole calls. */
    private static List<List<String>> streamed(String format, String forced, String... pieces) {
        OutputParser parser =
                new OutputParser(OutputFormat.named(format), REQUEST, List.of("get", "put"), forced, true);
        List<StringBuilder> inDeltas = new ArrayList<>();
        List<String> ids = new ArrayList<>();
        List<ToolCall> whole = new ArrayList<>();
        for (int i = 0; i <= pieces.length; i++) {
            OutputDelta delta = i < pieces.length ? parser.accept(pieces[i]) : parser.finish();
            for (ToolCallDelta piece : delta.callDeltas()) {
                if (!piece.getId().isEmpty()) {
                    assertThat(piece.getIndex()).isEqualTo(inDeltas.size());
                    inDeltas.add(new StringBuilder(piece.getName()));
                    ids.add(piece.getId());
                }
                inDeltas.get(piece.getIndex()).append(piece.getArguments());
            }
            whole.addAll(delta.toolCalls());
        }
        assertThat(whole.stream().map(ToolCall::getId)).isEqualTo(ids);
        return List.of(
                inDeltas.stream().map(StringBuilder::toString).toList(),
                whole.stream()
                        .map(call -> call.getName() + call.getArgumentsJson())
                        .toList());
    }

    @Test
    void certainCallsStream() {
        OutputParser parser = new OutputParser(OutputFormat.named("hermes"), REQUEST, List.of("get"), "", true);
        assertThat(parser.accept("I look. <tool_call>\n{\"name\": \"g").callDeltas())
                .isEmpty();
        assertThat(parser.accept("et\", \"arguments\": {\"a").callDeltas())
                .containsExactly(ToolCallDelta.newBuilder()
                        .setIndex(0)
                        .setId(ToolCallIds.of(REQUEST, 0, ToolCallSyntax.HERMES))
                        .setName("get")
                        .setArguments("{\"a")
                        .build());
        assertThat(parser.accept("\": 1").callDeltas())
                .containsExactly(
                        ToolCallDelta.newBuilder().setArguments("\": 1").build());
        OutputDelta end =
                parser.accept("}}\n</tool_call>\n<tool_call>\n{\"name\": \"put\", \"arguments\": {}}\n</tool_call>");
        assertThat(end.callDeltas()).hasSize(2);
        assertThat(end.callDeltas().get(1).getIndex()).isEqualTo(1);
        assertThat(end.toolCalls()).hasSize(2);
        assertThat(end.toolCalls().get(0).getArgumentsJson()).isEqualTo("{\"a\": 1}");
    }

    @Test
    void certainCallsOfEachFamilyStream() {
        List<List<String>> both =
                List.of(List.of("get{\"a\": [\"}\"]}", "put{}"), List.of("get{\"a\": [\"}\"]}", "put{}"));
        assertThat(streamed(
                        "mistral",
                        "[TOOL_CALLS] [{\"name\": \"",
                        "get\", \"arguments\": {\"a\": [\"}\"]}}, {\"name\": \"put\", \"arguments\": {}}]"))
                .isEqualTo(both);
        assertThat(streamed("mistral", "", "[TOOL_CALLS]get[ARGS]{\"a\": [\"}\"]}[TOOL_CALLS]put[ARGS]{}"))
                .isEqualTo(both);
        assertThat(streamed(
                        "llama3-json",
                        "",
                        "{\"name\": \"get\", \"parameters\": {\"a\": [\"}\"]}}",
                        "; {\"name\": \"put\", \"parameters\": {}}"))
                .isEqualTo(both);
        assertThat(streamed(
                        "hermes",
                        "<tool_call>\n{\"name\": \"get\", \"arguments\":",
                        " {\"a\": \"",
                        "b\"}}\n</tool_call>"))
                .isEqualTo(List.of(List.of("get{\"a\": \"b\"}"), List.of("get{\"a\": \"b\"}")));
    }

    @Test
    void certainCallsThatAreCutOffStayCalls() {
        String prefix = "<tool_call>\n{\"name\": \"get\", \"arguments\":";
        // Where brackets and quotes are all that is missing they are added, in pieces as in the whole call.
        assertThat(streamed("hermes", prefix, " {\"a\": [\"b"))
                .isEqualTo(List.of(List.of("get{\"a\": [\"b\"]}"), List.of("get{\"a\": [\"b\"]}")));
        assertThat(streamed("hermes", prefix, " {\"a\": tr"))
                .isEqualTo(List.of(List.of("get{\"a\": tr"), List.of("get{\"a\": tr")));
    }

    @Test
    void uncertainCallsComeWhole() {
        OutputParser parser = new OutputParser(OutputFormat.named("hermes"), REQUEST, List.of("get"), "");
        OutputDelta delta = parser.accept("<tool_call>\n{\"name\": \"get\", \"arguments\": {\"a\": 1}}\n</tool_call>");
        assertThat(delta.callDeltas()).isEmpty();
        assertThat(delta.toolCalls()).hasSize(1);
    }

    @Test
    void idsAreTheTurnsOwn() {
        OutputParser parser = new OutputParser(OutputFormat.named("hermes"), REQUEST, List.of(), "");
        String call = "<tool_call>{\"name\":\"get\"}</tool_call>";
        List<ToolCall> calls = parser.accept(call + call).toolCalls();
        assertThat(calls.get(0).getId()).isEqualTo(ToolCallIds.of(REQUEST, 0, ToolCallSyntax.HERMES));
        assertThat(calls.get(1).getId())
                .startsWith("call_")
                .isNotEqualTo(calls.get(0).getId());
        assertThat(ToolCallIds.of(REQUEST, 0, ToolCallSyntax.MISTRAL)).matches("[0-9A-Za-z]{9}");
        assertThat(ToolCallIds.shortened("abcDEF012")).isEqualTo("abcDEF012");
        assertThat(ToolCallIds.shortened("call_1")).matches("[0-9A-Za-z]{9}");
    }

    @Test
    void textStreamsBeforeTheEnd() {
        OutputParser parser = new OutputParser(OutputFormat.named("hermes"), REQUEST, List.of(), "");
        assertThat(parser.accept("Hello <").content()).isEqualTo("Hello");
        assertThat(parser.accept("b> ").content()).isEqualTo(" <b>");
        assertThat(parser.finish().content()).isEqualTo(" ");
    }

    @Test
    void wireNamesReadBack() {
        for (ToolCallSyntax syntax : ToolCallSyntax.values()) {
            for (Reasoning reasoning : Reasoning.values()) {
                OutputFormat format = new OutputFormat(syntax, reasoning);
                assertThat(OutputFormat.named(format.wireName())).isEqualTo(format);
            }
        }
        assertThat(OutputFormat.named("")).isEqualTo(OutputFormat.PLAIN);
    }

    /** What never ends is looked at once a character: read again from its beginning each time, it would take long. */
    @Test
    @Timeout(120)
    void endlessOutputsTakeTimeByTheirLength() {
        int count = 50_000;
        for (String begin : List.of(
                "<think>",
                "<tool_call>\n{\"name\": \"get\", \"arguments\": {\"a\": \"",
                "<tool_call>",
                "[TOOL_CALLS]get[ARGS]{\"a\": \"",
                "[TOOL_CALLS][{\"name\": \"",
                "{\"name\": \"get\", \"parameters\": {\"a\": \"",
                "<|python_tag|>")) {
            for (String endless : List.of("x", "<", "{", "[", " ", "\\")) {
                for (ToolCallSyntax syntax : ToolCallSyntax.values()) {
                    List<String> pieces = new ArrayList<>(List.of(begin));
                    pieces.addAll(Collections.nCopies(count, endless));
                    Total total = total(new OutputFormat(syntax, Reasoning.TAGGED), "", pieces);
                    assertThat(total.content().length() + total.reasoning().length())
                            .as("%s %s...", begin, endless)
                            .isLessThanOrEqualTo(begin.length() + count);
                }
            }
        }
    }

    @Test
    void cutsChangeNothing() {
        List<String> parts = List.of(
                "<tool_call>",
                "</tool_call>",
                "<think>",
                "</think>",
                "[TOOL_CALLS]",
                "{",
                "}",
                "[",
                "]",
                "<|python_tag|>",
                "{\"name\": \"get\", \"arguments\": {\"a\": \"x\"}}",
                "{\"name\":\"put\",\"parameters\":{}}",
                " ",
                "\n",
                "text",
                "\"",
                "<",
                ",",
                "get[ARGS]{\"a\":1}",
                ";",
                "\ud83d\ude00");
        List<OutputFormat> formats = new ArrayList<>();
        for (ToolCallSyntax syntax : ToolCallSyntax.values()) {
            for (Reasoning reasoning : Reasoning.values()) {
                formats.add(new OutputFormat(syntax, reasoning));
            }
        }
        for (long seed = 0; seed < 4000; seed++) {
            Random random = new Random(seed);
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(12); i >= 0; i--) {
                text.append(parts.get(random.nextInt(parts.size())));
            }
            OutputFormat format = formats.get(random.nextInt(formats.size()));
            String forced = random.nextInt(4) == 0 ? "<tool_call>\n{\"name\": \"" : "";
            Total whole = total(format, forced, List.of(text.toString()));
            for (int cut = 0; cut < 4; cut++) {
                List<String> pieces = new ArrayList<>();
                for (int begin = 0; begin < text.length(); ) {
                    int end = Math.min(text.length(), begin + 1 + random.nextInt(cut * 5 + 1));
                    pieces.add(text.substring(begin, end));
                    begin = end;
                }
                assertThat(total(format, forced, pieces))
                        .as("seed %d: %s", seed, text)
                        .isEqualTo(whole);
            }
        }
    }
}
