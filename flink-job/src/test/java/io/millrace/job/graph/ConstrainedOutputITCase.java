package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitChunks;
import static io.millrace.job.graph.TestingJob.awaitComplete;
import static io.millrace.job.graph.TestingJob.content;
import static io.millrace.job.graph.TestingJob.last;
import static io.millrace.job.graph.TestingJob.message;
import static io.millrace.job.graph.TestingJob.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.connector.port.TurnStream;
import io.millrace.model.GeneratedModel;
import io.millrace.operators.model.GgufServedModel;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.ChoiceList;
import io.millrace.proto.OutputConstraint;
import io.millrace.proto.SpeculationHints;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.Tool;
import io.millrace.proto.ToolCall;
import io.millrace.proto.ToolCallDelta;
import io.millrace.proto.ToolChoice;
import io.millrace.proto.TurnFailed;
import io.millrace.proto.TurnFinished;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole job with a random model, which would never write JSON of itself: what it is held to, it writes. */
class ConstrainedOutputITCase {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final String PERSON = """
            {"type": "object", "properties": {
              "name": {"type": "string", "maxLength": 8},
              "age": {"type": "integer", "minimum": 0, "maximum": 150},
              "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 3}
            }, "required": ["name", "age", "tags"], "additionalProperties": false}""";
    private static final String NUMBERS = """
            {"type": "object", "properties": {
              "numbers": {"type": "array", "items": {"type": "boolean"}, "minItems": 60, "maxItems": 60}
            }, "required": ["numbers"], "additionalProperties": false}""";

    @TempDir
    static Path directory;

    private static Path modelFile = Path.of("");

    private final Configuration options = new Configuration();

    @BeforeAll
    static void generateModel() throws Exception {
        modelFile = directory.resolve("generated.gguf");
        GeneratedModel.write(modelFile, GeneratedModel.Options.tiny("llama", 1));
    }

    ConstrainedOutputITCase() {
        options.set(MillraceOptions.MODEL_FILE, modelFile.toString());
        options.set(MillraceOptions.BLOCK_COUNT, 512);
        options.set(MillraceOptions.BLOCK_SIZE_TOKENS, 16);
        options.set(MillraceOptions.BACKEND_THREADS, 1);
        options.set(MillraceOptions.ENGINE_LINGER, Duration.ofMinutes(5));
    }

    @Test
    void answersHaveTheFormThatIsDemanded() throws Exception {
        try (TestingJob job = job()) {
            List<TurnStream> turns = new ArrayList<>();
            for (int seed = 0; seed < 8; seed++) {
                turns.add(job.port().submit(request("schema" + seed, seed, 400, schema(PERSON))));
            }
            TurnStream choice = job.port().submit(request("choice", 1, 50, choice("mill", "race")));
            TurnStream regex = job.port()
                    .submit(request(
                            "regex", 1, 50, OutputConstraint.newBuilder().setRegex("[a-f]{4}-[0-9]{2}")));
            TurnStream ebnf = job.port()
                    .submit(request(
                            "ebnf", 1, 50, OutputConstraint.newBuilder().setEbnf("root ::= \"x\" [0-9] | \"y\" root")));
            for (TurnStream turn : turns) {
                JsonNode person = MAPPER.readTree(ended(turn, TurnFinished.Reason.STOP));
                String name = person.get("name").asText();
                assertThat(name.codePointCount(0, name.length())).isLessThanOrEqualTo(8);
                assertThat(person.get("age").asInt()).isBetween(0, 150);
                assertThat(person.get("tags").size()).isLessThanOrEqualTo(3);
                assertThat(person.size()).isEqualTo(3);
            }
            assertThat(ended(choice, TurnFinished.Reason.STOP)).isIn("mill", "race");
            assertThat(ended(regex, TurnFinished.Reason.STOP)).matches("[a-f]{4}-[0-9]{2}");
            awaitComplete(ebnf);
            assertThat(content(ebnf)).matches("y*(x[0-9])?");
        }
    }

    @Test
    void callsThatMustBeMadeAreMade() throws Exception {
        try (TestingJob job = job()) {
            AgentRequest.Builder named = tools("named", 1, 400, tool("person", PERSON), tool("numbers", NUMBERS));
            named.getChatBuilder()
                    .setToolChoice(ToolChoice.newBuilder()
                            .setMode(ToolChoice.Mode.NAMED)
                            .setName("person"));
            AgentRequest.Builder required =
                    tools("required", 2, 1200, tool("person", PERSON), tool("numbers", NUMBERS));
            required.getChatBuilder()
                    .setSingleToolCall(true)
                    .setToolChoice(ToolChoice.newBuilder().setMode(ToolChoice.Mode.REQUIRED));
            TurnStream first = job.port().submit(named.build());
            TurnStream second = job.port().submit(required.build());
            ended(first, TurnFinished.Reason.TOOL_CALLS);
            assertThat(content(first)).isEmpty();
            assertThat(calls(first)).hasSize(1);
            assertThat(calls(first).get(0).getName()).isEqualTo("person");
            assertThat(MAPPER.readTree(calls(first).get(0).getArgumentsJson()).size())
                    .isEqualTo(3);
            ended(second, TurnFinished.Reason.TOOL_CALLS);
            assertThat(calls(second)).hasSize(1);
            MAPPER.readTree(calls(second).get(0).getArgumentsJson());
            for (TurnStream turn : List.of(first, second)) {
                assertThat(streamed(turn)).isEqualTo(calls(turn).get(0).getArgumentsJson());
            }
        }
    }

    @Test
    void callGoesOnInItsMiddleAfterAFailure() throws Exception {
        options.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofHours(1));
        // Steps take so long that the turn is far from its end when the checkpoint is there.
        options.set(MillraceOptions.BACKEND, "sim");
        options.set(
                MillraceOptions.BACKEND_PARAMETERS,
                Map.of("decode_least_ms", "25", "decode_constant_ms", "0", "decode_linear_ms", "0"));
        AgentRequest.Builder request = tools("cut", 3, 1200, tool("numbers", NUMBERS));
        request.getChatBuilder()
                .setToolChoice(ToolChoice.newBuilder().setMode(ToolChoice.Mode.REQUIRED))
                .setSingleToolCall(true);
        List<Integer> whole;
        String arguments;
        try (TestingJob job = job()) {
            TurnStream turn = job.port().submit(request.build());
            ended(turn, TurnFinished.Reason.TOOL_CALLS);
            whole = tokens(turn);
            arguments = streamed(turn);
        }
        try (TestingJob job = job()) {
            TurnStream turn = job.port().submit(request.build());
            awaitChunks(turn, 15);
            job.checkpoint();
            job.failAfterChunks(3, () -> {});
            ended(turn, TurnFinished.Reason.TOOL_CALLS);
            job.awaitRunning(1);
            assertThat(tokens(turn)).isEqualTo(whole);
            assertThat(streamed(turn)).isEqualTo(arguments);
            assertThat(MAPPER.readTree(arguments).get("numbers").size()).isEqualTo(60);
        }
    }

    @Test
    void whatIsNotSupportedIsRefusedAlone() throws Exception {
        try (TestingJob job = job()) {
            TurnStream fine = job.port().submit(request("fine", 1, 400, schema(PERSON)));
            TurnStream refused = job.port()
                    .submit(request(
                            "refused",
                            1,
                            400,
                            schema("{\"type\": \"object\", \"properties\": {\"a\": {\"not\": {\"minimum\": 5}}}}")));
            awaitComplete(refused);
            TurnFailed failed = last(refused).getFailed();
            assertThat(failed.getCode()).isEqualTo("INVALID_REQUEST");
            assertThat(failed.getParam())
                    .startsWith("response_format.json_schema.schema")
                    .endsWith("not");
            ended(fine, TurnFinished.Reason.STOP);
        }
    }

    @Test
    void speculationChangesNoToken() throws Exception {
        try (TestingJob job = job()) {
            AgentRequest on = request("on", 5, 400, schema(PERSON));
            AgentRequest.Builder off = request("off", 5, 400, schema(PERSON)).toBuilder();
            off.getChatBuilder().setSpeculation(SpeculationHints.newBuilder().setOff(true));
            TurnStream with = job.port().submit(on);
            TurnStream without = job.port().submit(off.build());
            ended(with, TurnFinished.Reason.STOP);
            ended(without, TurnFinished.Reason.STOP);
            assertThat(tokens(with)).isEqualTo(tokens(without));
        }
    }

    private TestingJob job() throws Exception {
        options.set(MillraceOptions.SPECULATION_ENABLED, true);
        return new TestingJob(new GgufServedModel(ModelResolution.resolve(options)), options);
    }

    /** Waits for a turn's end, which is to have a reason; returns the turn's text. */
    private static String ended(TurnStream turn, TurnFinished.Reason reason) throws Exception {
        awaitComplete(turn);
        assertThat(last(turn).getFinished().getReason()).as("%s", last(turn)).isEqualTo(reason);
        return content(turn);
    }

    private static List<ToolCall> calls(TurnStream turn) {
        return TestingJob.chunks(turn).stream()
                .flatMap(chunk -> chunk.getToolCallsList().stream())
                .toList();
    }

    /** The arguments of a turn's only call, as they came. */
    private static String streamed(TurnStream turn) {
        StringBuilder arguments = new StringBuilder();
        for (TokenChunk chunk : TestingJob.chunks(turn)) {
            for (ToolCallDelta delta : chunk.getToolCallDeltasList()) {
                assertThat(delta.getIndex()).isZero();
                arguments.append(delta.getArguments());
            }
        }
        return arguments.toString();
    }

    private static AgentRequest request(String session, long seed, int maxTokens, OutputConstraint.Builder constraint) {
        AgentRequest.Builder request =
                TestingJob.request(session, "r", List.of(message("user", "Who?")), maxTokens).toBuilder();
        sample(request, seed);
        request.getChatBuilder().setOutputConstraint(constraint);
        return request.build();
    }

    private static AgentRequest.Builder tools(String session, long seed, int maxTokens, Tool... tools) {
        AgentRequest.Builder request =
                TestingJob.request(session, "r", List.of(message("user", "Call.")), maxTokens).toBuilder();
        sample(request, seed);
        request.getChatBuilder().addAllTools(List.of(tools));
        return request;
    }

    private static void sample(AgentRequest.Builder request, long seed) {
        ChatRequest.Builder chat = request.getChatBuilder();
        chat.getSamplingBuilder().setTemperature(1).setSeed(seed);
    }

    private static OutputConstraint.Builder schema(String schema) {
        return OutputConstraint.newBuilder().setJsonSchema(schema).setParam("response_format.json_schema.schema");
    }

    private static OutputConstraint.Builder choice(String... texts) {
        return OutputConstraint.newBuilder().setChoice(ChoiceList.newBuilder().addAllTexts(List.of(texts)));
    }

    private static Tool tool(String name, String schema) {
        return Tool.newBuilder()
                .setName(name)
                .setDefinitionJson("{\"type\":\"function\",\"function\":{\"name\":\"" + name + "\",\"parameters\":"
                        + schema.replace("\n", "") + "}}")
                .build();
    }
}
