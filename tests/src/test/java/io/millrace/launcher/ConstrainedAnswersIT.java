package io.millrace.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.reference.DemoModel;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Forms of answers and calls of tools, over HTTP, with a model that a user has. */
@Timeout(240)
class ConstrainedAnswersIT {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String SCHEMA = "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\","
            + "\"maxLength\":20},\"celsius\":{\"type\":\"integer\",\"minimum\":-60,\"maximum\":60},\"sky\":{\"enum\":"
            + "[\"clear\",\"cloudy\"]}},\"required\":[\"city\",\"celsius\",\"sky\"],\"additionalProperties\":false}";
    private static final String WEATHER =
            "{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"parameters\":" + SCHEMA + "}}";
    private static final String QUESTION =
            "\"max_tokens\":200,\"messages\":[{\"role\":\"user\",\"content\":\"How is the weather in Ulm?\"}]";

    private final HttpClient client = HttpClient.newHttpClient();

    @Test
    void answersAndCallsHaveTheFormThatIsDemanded() throws Exception {
        String model = DemoModel.require().toString();
        try (LauncherProcess serve =
                LauncherProcess.start("serve", "--model", model, "--port", "0", "--web-port", "0")) {
            String line = serve.awaitLine(found -> found.startsWith("Millrace serves "), 120);
            URI chat = URI.create(line.substring(line.indexOf("http")).strip()).resolve("/v1/chat/completions");
            for (int seed = 0; seed < 3; seed++) {
                JsonNode choice = answer(
                        chat,
                        "{\"seed\":" + seed + "," + QUESTION
                                + ",\"response_format\":{\"type\":\"json_schema\","
                                + "\"json_schema\":{\"name\":\"w\",\"schema\":"
                                + SCHEMA + "}}}");
                assertThat(choice.path("finish_reason").asText()).isEqualTo("stop");
                checkWeather(choice.at("/message/content").asText());
                JsonNode call = answer(
                        chat,
                        "{\"seed\":" + seed + "," + QUESTION + ",\"tools\":[" + WEATHER
                                + "],\"tool_choice\":\"required\",\"parallel_tool_calls\":false}");
                assertThat(call.path("finish_reason").asText()).isEqualTo("tool_calls");
                assertThat(call.at("/message/tool_calls/0/function/name").asText())
                        .isEqualTo("weather");
                checkWeather(call.at("/message/tool_calls/0/function/arguments").asText());
            }
            HttpResponse<String> refused =
                    post(chat, "{" + QUESTION + ",\"guided_json\":{\"contains\":{\"const\":1}}}");
            assertThat(refused.statusCode()).isEqualTo(400);
            assertThat(JSON.readTree(refused.body()).at("/error/param").asText())
                    .isEqualTo("guided_json.contains");
            checkStream(chat);
            serve.signal("TERM");
            assertThat(serve.exitCode(60)).as(serve.output()).isZero();
        }
    }

    /** A call that is streamed comes in pieces, and they are the whole. */
    private void checkStream(URI chat) throws Exception {
        HttpResponse<String> streamed = post(
                chat,
                "{\"stream\":true,\"seed\":1," + QUESTION + ",\"tools\":[" + WEATHER
                        + "],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"weather\"}}}");
        StringBuilder arguments = new StringBuilder();
        int pieces = 0;
        for (String line : streamed.body().split("\n")) {
            if (line.startsWith("data: {")) {
                JsonNode call = JSON.readTree(line.substring(6)).at("/choices/0/delta/tool_calls/0");
                pieces += call.isMissingNode() ? 0 : 1;
                arguments.append(call.at("/function/arguments").asText());
            }
        }
        assertThat(pieces).as(streamed.body()).isGreaterThan(3);
        checkWeather(arguments.toString());
    }

    private static void checkWeather(String json) throws Exception {
        JsonNode weather = JSON.readTree(json);
        assertThat(weather.size()).as(json).isEqualTo(3);
        assertThat(weather.get("city").isTextual()).isTrue();
        assertThat(weather.get("celsius").asInt()).isBetween(-60, 60);
        assertThat(weather.get("sky").asText()).isIn("clear", "cloudy");
    }

    private JsonNode answer(URI chat, String body) throws Exception {
        HttpResponse<String> response = post(chat, body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return JSON.readTree(response.body()).at("/choices/0");
    }

    private HttpResponse<String> post(URI chat, String body) throws Exception {
        return client.send(
                HttpRequest.newBuilder(chat)
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
