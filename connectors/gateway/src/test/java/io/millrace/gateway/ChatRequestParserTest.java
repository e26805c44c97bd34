package io.millrace.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.ChoiceList;
import io.millrace.proto.OutputConstraint;
import io.millrace.proto.SamplingParams;
import io.millrace.proto.SpeculationHints;
import io.millrace.proto.ToolChoice;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What each field of a request becomes, or how it is refused. */
final class ChatRequestParserTest {
    private static final int MAX_MESSAGES = 5;
    private static final String USER = "{\"role\":\"user\",\"content\":\"hello\"}";
    private static final String TOOL = "{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{}}}";

    private final JsonBody json = new JsonBody(1 << 20);
    private final ChatRequestParser parser = new ChatRequestParser(List.of("m", "n"), json, MAX_MESSAGES);

    private ParsedChat parse(String body) {
        return parser.parse(json.parse(body.getBytes(StandardCharsets.UTF_8)));
    }

    private ParsedChat with(String fields) {
        return parse("{\"messages\":[" + USER + "]" + (fields.isEmpty() ? "" : ",") + fields + "}");
    }

    private ChatMessage message(String message) {
        return parse("{\"messages\":[" + message + "]}").chat().getMessages(0);
    }

    private void assertRefused(String body, String param, String message) {
        ServingException refused = catchThrowableOfType(ServingException.class, () -> parse(body));
        assertThat(refused).as(body).isNotNull();
        assertThat(refused.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
        assertThat(refused.param()).as(body).isEqualTo(param);
        assertThat(refused.getMessage()).startsWith(param).contains(message);
    }

    @Test
    void testDefaults() {
        ParsedChat chat = with("");
        assertThat(chat.model()).isEqualTo("m");
        assertThat(chat.chat())
                .isEqualTo(ChatRequest.newBuilder()
                        .addMessages(ChatMessage.newBuilder().setRole("user").setContent("hello"))
                        .setSampling(SamplingParams.newBuilder()
                                .setTemperature(1)
                                .setTopP(1)
                                .setRepetitionPenalty(1))
                        .build());
        assertThat(chat)
                .isEqualTo(new ParsedChat("m", chat.chat(), false, false, false, false, null, null, null, Set.of()));
        ParsedChat nulls = with("\"model\":null,\"temperature\":null,\"tools\":null,\"stop\":null,\"n\":null,"
                + "\"seed\":null,\"stream\":null,\"stream_options\":null,\"response_format\":null,\"logprobs\":null,"
                + "\"tool_choice\":null,\"logit_bias\":null,\"nvext\":null,\"metadata\":null,\"unknown\":{\"x\":[1]}");
        assertThat(nulls).isEqualTo(chat);
    }

    @Test
    void testSampling() {
        SamplingParams sampling = with("\"max_tokens\":5,\"max_completion_tokens\":7,\"temperature\":0,\"top_p\":0.5,"
                        + "\"top_k\":-1,\"min_p\":0.1,\"repetition_penalty\":1.5,\"presence_penalty\":-2,"
                        + "\"frequency_penalty\":2,\"logit_bias\":{\"12\":-100,\"0\":0.5},\"stop\":[\"a\",\"\\n\"],"
                        + "\"seed\":-9223372036854775808,\"ignore_eos\":true,\"min_tokens\":3,"
                        + "\"stop_token_ids\":[1,2]")
                .chat()
                .getSampling();
        assertThat(sampling)
                .isEqualTo(SamplingParams.newBuilder()
                        .setMaxTokens(7)
                        .setTopP(0.5f)
                        .setMinP(0.1f)
                        .setRepetitionPenalty(1.5f)
                        .setPresencePenalty(-2)
                        .setFrequencyPenalty(2)
                        .putLogitBias(12, -100)
                        .putLogitBias(0, 0.5f)
                        .addStop("a")
                        .addStop("\n")
                        .setSeed(Long.MIN_VALUE)
                        .setIgnoreEos(true)
                        .setMinTokens(3)
                        .addStopTokenIds(1)
                        .addStopTokenIds(2)
                        .build());
        assertThat(with("\"stop\":\"x\"").chat().getSampling().getStopList()).containsExactly("x");
        // Only the job knows how much fits.
        assertThat(with("\"max_tokens\":1000000000").chat().getSampling().getMaxTokens())
                .isEqualTo(1_000_000_000);
    }

    @Test
    void testMessages() {
        assertThat(message("{\"role\":\"developer\",\"content\":\"\",\"name\":\"n\"}"))
                .isEqualTo(ChatMessage.newBuilder()
                        .setRole("developer")
                        .setContent("")
                        .setName("n")
                        .build());
        assertThat(message("{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\","
                                + "\"cache_control\":{\"type\":\"ephemeral\"}},{\"type\":\"text\",\"text\":\"b\"}]}")
                        .getContent())
                .isEqualTo("a\nb");
        ChatMessage assistant = message("{\"role\":\"assistant\",\"content\":null,\"refusal\":\"no\","
                + "\"reasoning_content\":\"r\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\","
                + "\"function\":{\"name\":\"f\",\"arguments\":\" {\\\"a\\\" : 1}\"}},"
                + "{\"id\":\"d\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]}");
        assertThat(assistant.hasContent()).isFalse();
        assertThat(assistant.getReasoningContent()).isEqualTo("r");
        assertThat(assistant.getToolCalls(0).getArgumentsJson()).isEqualTo(" {\"a\" : 1}");
        assertThat(assistant.getToolCalls(1).getArgumentsJson()).isEqualTo("{}");
        ChatMessage tool = message("{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"42\"}");
        assertThat(tool.getToolCallId()).isEqualTo("c");
    }

    @Test
    void testTools() {
        String definition = "{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\","
                + "\"parameters\":{\"z\":1,\"a\":[1.0,1e5,\"\u00e9\"],\"m\":null}},\"extra\":true}";
        ChatRequest chat = with("\"tools\":[" + definition
                        + "],\"tool_choice\":\"required\",\"parallel_tool_calls\":true")
                .chat();
        assertThat(chat.getTools(0).getName()).isEqualTo("f");
        assertThat(chat.getTools(0).getDefinitionJson()).isEqualTo(definition.replace("1e5", "100000.0"));
        assertThat(chat.getToolChoice().getMode()).isEqualTo(ToolChoice.Mode.REQUIRED);
        ToolChoice named = with("\"tools\":[" + TOOL + "],\"tool_choice\":{\"type\":\"function\","
                        + "\"function\":{\"name\":\"f\"}}")
                .chat()
                .getToolChoice();
        assertThat(named.getMode()).isEqualTo(ToolChoice.Mode.NAMED);
        assertThat(named.getName()).isEqualTo("f");
        assertThat(with("\"tool_choice\":\"none\"").chat().getToolChoice().getMode())
                .isEqualTo(ToolChoice.Mode.NONE);
        assertThat(with("\"parallel_tool_calls\":false").singleToolCall()).isTrue();
        assertThat(with("\"parallel_tool_calls\":false").chat().getSingleToolCall())
                .isTrue();
    }

    @Test
    void testConstraints() {
        String schema = "{\"type\":\"object\",\"properties\":{\"z\":{},\"a\":{}}}";
        assertThat(constraint("\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\","
                        + "\"strict\":true,\"schema\":" + schema + "}}"))
                .isEqualTo(OutputConstraint.newBuilder()
                        .setJsonSchema(schema)
                        .setParam("response_format.json_schema.schema")
                        .build());
        assertThat(constraint("\"response_format\":{\"type\":\"json_object\"}").hasJsonObject())
                .isTrue();
        assertThat(constraint("\"guided_json\":" + schema).getJsonSchema()).isEqualTo(schema);
        assertThat(constraint("\"guided_json\":\"" + schema.replace("\"", "\\\"") + "\"")
                        .getJsonSchema())
                .isEqualTo(schema);
        assertThat(constraint("\"guided_regex\":\"a+\"").getRegex()).isEqualTo("a+");
        assertThat(constraint("\"guided_grammar\":\"root ::= \\\"a\\\"\"").getEbnf())
                .isEqualTo("root ::= \"a\"");
        assertThat(constraint("\"guided_choice\":[\"a\",\"b\"]").getChoice().getTextsList())
                .containsExactly("a", "b");
        assertThat(constraint("\"structured_outputs\":{\"choice\":[\"a\"]}"))
                .isEqualTo(OutputConstraint.newBuilder()
                        .setChoice(ChoiceList.newBuilder().addTexts("a"))
                        .setParam("structured_outputs.choice")
                        .build());
        assertThat(with("\"response_format\":{\"type\":\"text\"},\"guided_json_object\":false")
                        .chat()
                        .hasOutputConstraint())
                .isFalse();
    }

    private OutputConstraint constraint(String fields) {
        return with(fields).chat().getOutputConstraint();
    }

    @Test
    void testSpeculation() {
        assertThat(with("\"speculation\":{\"enabled\":false}").chat().getSpeculation())
                .isEqualTo(SpeculationHints.newBuilder().setOff(true).build());
        assertThat(with("\"speculation\":{\"drafters\":[\"prompt_lookup\",\"constraint\"],\"max_draft_tokens\":3}")
                        .chat()
                        .getSpeculation())
                .isEqualTo(SpeculationHints.newBuilder()
                        .addDrafters(SpeculationHints.Drafter.PROMPT_LOOKUP)
                        .addDrafters(SpeculationHints.Drafter.CONSTRAINT)
                        .setMaxDraftTokens(3)
                        .build());
    }

    @Test
    void testTheRest() {
        ParsedChat chat = with("\"model\":\"n\",\"stream\":true,\"stream_options\":{\"include_usage\":true},"
                + "\"user\":\"u\",\"prompt_cache_key\":\"k\",\"cache_salt\":\"x\",\"chat_template_kwargs\":"
                + "{\"enable_thinking\":false},\"nvext\":{\"agent_hints\":{\"priority\":9,\"osl\":5},"
                + "\"cache_salt\":\"s\",\"extra_fields\":[\"timing\"],\"token_data\":[1]},"
                + "\"response_format\":{\"type\":\"text\"},\"n\":1,\"logprobs\":false,\"modalities\":[\"text\"]");
        assertThat(chat.model()).isEqualTo("n");
        assertThat(chat.stream() && chat.includeUsage()).isTrue();
        assertThat(chat.user()).isEqualTo("u");
        assertThat(chat.promptCacheKey()).isEqualTo("k");
        assertThat(chat.cacheSalt()).isEqualTo("s");
        assertThat(chat.extraFields()).containsExactly("timing");
        assertThat(chat.chat().getPriority()).isEqualTo(9);
        assertThat(chat.chat().getTemplateVariablesJson()).isEqualTo("{\"enable_thinking\":false}");
        assertThat(with("\"nvext\":{\"agent_hints\":{\"priority\":-3}}").chat().getPriority())
                .isZero();
        assertThat(with("\"metadata\":{\"user_id\":\"x\"}").user()).isEqualTo("x");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        max_tokens|-1|must be an integer from 1
        max_tokens|0|must be an integer from 1
        max_tokens|1.5|but is 1.5
        max_tokens|3000000000|must be an integer
        max_tokens|99999999999999999999999|must be an integer
        max_tokens|`"5"`|but is "5"
        max_completion_tokens|true|must be an integer
        temperature|-0.1|from 0 to 2
        temperature|2.1|from 0 to 2
        temperature|1e999|from 0 to 2
        temperature|`"NaN"`|must be a number
        temperature|[]|must be a number
        top_p|0|above 0
        top_p|1e-300|above 0
        top_p|1.1|from 0 to 1
        top_k|-2|from -1
        min_p|-1|from 0 to 1
        repetition_penalty|0|above 0
        presence_penalty|2.5|from -2 to 2
        frequency_penalty|-2.5|from -2 to 2
        seed|9223372036854775808|must be an integer
        seed|1.0|must be an integer
        n|2|must be 1
        n|0|must be an integer
        stream|1|must be true or false
        stream_options|[]|must be an object
        logprobs|true|not supported
        top_logprobs|3|not supported
        stop|5|string or an array
        stop|`""`|1 to 1024
        logit_bias|[]|must be an object
        stop_token_ids|5|must be an array
        tools|{}|must be an array
        tool_choice|`"any"`|must be 'auto'
        tool_choice|`"required"`|no tools
        parallel_tool_calls|`"no"`|true or false
        response_format|`"json"`|must be an object
        model|5|must be a string
        user|5|must be a string
        prompt_cache_key|{}|must be a string
        functions|[]|use tools
        function_call|`"auto"`|use tools
        audio|{}|not supported
        modalities|`["audio"]`|'text'
        chat_template_kwargs|5|must be an object
        nvext|5|must be an object
        cache_salt|`""`|1 to 256
        min_tokens|-1|must be an integer
        """)
    void testRefusedFields(String field, String value, String message) {
        assertRefused("{\"messages\":[" + USER + "],\"" + field + "\":" + value + "}", field, message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        stop[1]|"stop":["a",1]|must be a string
        stop[0]|"stop":[""]|1 to 1024
        logit_bias.x|"logit_bias":{"x":1}|token id
        logit_bias.-1|"logit_bias":{"-1":1}|token id
        logit_bias.9999999999|"logit_bias":{"9999999999":1}|token id
        logit_bias.5|"logit_bias":{"5":101}|from -100 to 100
        stop_token_ids[1]|"stop_token_ids":[1,-1]|must be an integer
        min_tokens|"max_tokens":2,"min_tokens":3|must not be above max_tokens
        response_format.type|"response_format":{"type":"structural_tag"}|must be 'text'
        response_format.json_schema|"response_format":{"type":"json_schema"}|is required
        response_format.json_schema.schema|"response_format":{"type":"json_schema","json_schema":{}}|is required
        response_format.json_schema.schema|"response_format":{"type":"json_schema","json_schema":{"schema":5}}|Schema
        response_format.json_schema.name|"response_format":{"type":"json_schema","json_schema":{"name":""}}|1 to 64
        guided_regex|"guided_regex":""|must not be empty
        guided_regex|"guided_regex":"a","response_format":{"type":"json_object"}|beside response_format
        guided_choice|"guided_choice":[]|at least one
        guided_choice[1]|"guided_choice":["a",5]|must be a string
        guided_whitespace_pattern|"guided_whitespace_pattern":" *"|not supported
        structured_outputs.regex|"structured_outputs":{"json":{},"regex":"a"}|beside structured_outputs.json
        structured_outputs.structural_tag|"structured_outputs":{"structural_tag":"{}"}|not supported
        speculation.drafters[0]|"speculation":{"drafters":["ngram"]}|'prompt_lookup'
        speculation.max_draft_tokens|"speculation":{"max_draft_tokens":0}|from 1 to 64
        stream_options.include_usage|"stream_options":{"include_usage":1}|true or false
        tools[0]|"tools":[5]|must be an object
        tools[0].type|"tools":[{"type":"custom"}]|'function'
        tools[0].function|"tools":[{"type":"function"}]|is required
        tools[0].function.name|"tools":[{"type":"function","function":{}}]|is required
        tools[0].function.name|"tools":[{"type":"function","function":{"name":"a b"}}]|letters
        tools[0].function.parameters|"tools":[{"type":"function","function":{"name":"a","parameters":1}}]|must be
        tool_choice.function.name|"tool_choice":{"type":"function","function":{"name":"g"}}|one of the tools
        tool_choice|"tool_choice":7|must be an object
        nvext.agent_hints.priority|"nvext":{"agent_hints":{"priority":"high"}}|must be an integer
        nvext.extra_fields|"nvext":{"extra_fields":[1]}|array of strings
        """)
    void testRefusedPaths(String path, String fields, String message) {
        assertRefused("{\"messages\":[" + USER + "]," + fields + "}", path, message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        messages[0]|5|must be an object
        messages[0].role|{}|is required
        messages[0].role|{"role":5}|must be a string
        messages[0].role|{"role":"robot","content":"x"}|must be system
        messages[0].content|{"role":"user"}|is required
        messages[0].content|{"role":"user","content":null}|is required
        messages[0].content|{"role":"user","content":5}|string or an array
        messages[0].content[0]|{"role":"user","content":["x"]}|must be an object
        messages[0].content[0].type|{"role":"user","content":[{"type":"image_url"}]}|no other parts
        messages[0].content[0].text|{"role":"user","content":[{"type":"text"}]}|is required
        messages[0].content|{"role":"assistant","content":null}|where there are no tool_calls
        messages[0].content|{"role":"assistant","tool_calls":[]}|where there are no tool_calls
        messages[0].tool_calls|{"role":"user","content":"x","tool_calls":[{}]}|assistant
        messages[0].tool_call_id|{"role":"tool","content":"x"}|is required
        messages[0].tool_calls[0].function|{"role":"assistant","tool_calls":[{"id":"c","function":1}]}|object
        messages[0].tool_calls[0].function|{"role":"assistant","tool_calls":[{"id":"c"}]}|is required
        messages[0].tool_calls[0].id|{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":""}}]}|is req
        messages[0].tool_calls[0].function.arguments|{"role":"assistant","tool_calls":[CALL{}}}]}|must be a string
        messages[0].tool_calls[0].function.arguments|{"role":"assistant","tool_calls":[CALL"[]"}}]}|text of an object
        """)
    void testRefusedMessages(String path, String message, String why) {
        String call = "{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":";
        assertRefused("{\"messages\":[" + message.replace("CALL", call) + "]}", path, why);
    }

    @Test
    void testRefusedLists() {
        String stops = String.join(",", Collections.nCopies(SamplingParser.MAX_STOPS + 1, "\"x\""));
        assertRefused("{\"messages\":[" + USER + "],\"stop\":[" + stops + "]}", "stop", "16 elements at most");
        assertRefused("{}", "messages", "is required");
        assertRefused("{\"messages\":[]}", "messages", "must not be empty");
        assertRefused("{\"messages\":{}}", "messages", "must be an array");
        String six = String.join(",", Collections.nCopies(MAX_MESSAGES + 1, USER));
        assertRefused("{\"messages\":[" + six + "]}", "messages", "5 elements at most, but has 6");
        assertRefused(
                "{\"messages\":[" + USER + "],\"tools\":[" + TOOL + "," + TOOL + "]}", "tools[1].function.name", "'f'");
        ServingException model = catchThrowableOfType(ServingException.class, () -> with("\"model\":\"x\""));
        assertThat(model.code()).isEqualTo(ErrorCode.MODEL_NOT_FOUND);
        assertThat(model).hasMessageContaining("'x'").hasMessageContaining("m, n");
        ServingException arguments = catchThrowableOfType(
                ServingException.class,
                () -> message("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"function\":"
                        + "{\"name\":\"f\",\"arguments\":\"{oops\"}}]}"));
        assertThat(arguments)
                .hasMessageStartingWith("messages[0].tool_calls[0].function.arguments is not valid JSON at line 1");
    }
}
