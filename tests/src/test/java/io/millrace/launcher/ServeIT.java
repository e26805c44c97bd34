package io.millrace.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.model.GeneratedModel;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./millrace serve} as a user runs it, with the curl line that it prints. */
@Timeout(240)
class ServeIT {
    private static final long START_SECONDS = 120;
    private static final long STOP_SECONDS = 60;

    @TempDir
    private Path folder;

    private Path model;

    @BeforeEach
    void makeModel() throws Exception {
        model = folder.resolve("tiny.gguf");
        GeneratedModel.write(model, GeneratedModel.Options.tiny("llama", 5));
    }

    @Test
    void itsCurlLineWorksAndSigtermStopsIt() throws Exception {
        try (LauncherProcess serve = serve()) {
            String curl = serve.awaitLine(line -> line.contains("curl "), START_SECONDS);
            Process client = new ProcessBuilder("bash", "-c", curl.strip() + " -sS")
                    .redirectErrorStream(true)
                    .start();
            String answer = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(client.waitFor()).as(answer).isZero();
            assertThat(answer).contains("data: {").endsWith("data: [DONE]\n\n");

            serve.signal("TERM");

            assertThat(serve.exitCode(STOP_SECONDS)).as(serve.output()).isZero();
            assertThat(serve.output()).contains("millrace: stopped");
        }
    }

    @Test
    void servesModelsHealthAndFlinksWebInterfaceAndSigintStopsIt() throws Exception {
        try (LauncherProcess serve = serve()) {
            URI gateway = address(serve.awaitLine(line -> line.startsWith("Millrace serves tiny at "), START_SECONDS));
            URI web = address(serve.awaitLine(line -> line.startsWith("Flink's web interface: "), START_SECONDS));

            assertThat(get(gateway.resolve("/v1/models"))).contains("\"tiny\"");
            assertThat(get(gateway.resolve("/health"))).isNotEmpty();
            assertThat(get(web.resolve("/jobs/overview"))).contains("\"state\":\"RUNNING\"");
            assertThat(get(web.resolve("/"))).contains("<html");

            serve.signal("INT");

            assertThat(serve.exitCode(STOP_SECONDS)).as(serve.output()).isZero();
        }
    }

    @Test
    void refusesToServeWithoutAModel() throws Exception {
        try (LauncherProcess serve = LauncherProcess.startWithoutModels(folder.resolve("empty"), "serve")) {
            assertThat(serve.exitCode(60)).isEqualTo(1);
            assertThat(serve.output()).contains("no model can be had", "--model FILE.gguf");
        }
    }

    private LauncherProcess serve() throws Exception {
        return LauncherProcess.start("serve", "--model", model.toString(), "--port", "0", "--web-port", "0");
    }

    private static URI address(String line) {
        return URI.create(line.substring(line.indexOf("http")).strip());
    }

    private static String get(URI uri) throws Exception {
        HttpResponse<String> response = HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(uri.toString()).isEqualTo(200);
        return response.body();
    }
}
