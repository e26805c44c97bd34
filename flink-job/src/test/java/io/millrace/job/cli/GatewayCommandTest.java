package io.millrace.job.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.job.graph.JobConfiguration;
import io.millrace.kv.ServingException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class GatewayCommandTest {
    @TempDir
    private Path folder;

    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();

    @Test
    void whatIsMissingIsNamed() throws Exception {
        assertThat(run("--model", "m")).isEqualTo(1);
        assertThat(errors()).contains("set millrace.kafka.bootstrap-servers");
        assertThat(run("--bootstrap-servers", "127.0.0.1:1")).isEqualTo(1);
        assertThat(errors()).contains("--model");
        assertThat(run("--bootstrap-servers", "127.0.0.1:1", "--model", "m", "--host", "0.0.0.0"))
                .isEqualTo(1);
        assertThat(errors()).contains("--token-file").contains("--insecure");
        assertThat(run("--no-such-option")).isEqualTo(2);
        assertThat(run("--bootstrap-servers", "127.0.0.1:1", "--model", "m", "--port", "70000"))
                .isEqualTo(1);
        assertThat(errors()).contains("port must be from 0 to 65535");
    }

    @Test
    void commandLineGoesOverTheFileAndPropertiesAreKafkas() throws Exception {
        Path config = folder.resolve("job.yaml");
        Files.writeString(config, """
                millrace.kafka.bootstrap-servers: from-file:1
                millrace.kafka.topics.requests: in
                millrace.kafka.topics.tokens: out
                millrace.kafka.properties:
                  security.protocol: SSL
                  client.rack: a
                """);
        Path properties = folder.resolve("client.properties");
        Files.writeString(properties, "security.protocol=SASL_SSL\nsasl.mechanism = PLAIN\n");
        GatewayCommand command = new GatewayCommand(System.out, Map.of());
        new CommandLine(command).parseArgs("--token-topic", "tokens", "--client-properties", properties.toString());
        KafkaSettings kafka = command.kafka(JobConfiguration.load(config));
        assertThat(kafka.bootstrapServers()).isEqualTo("from-file:1");
        assertThat(kafka.requestTopic()).isEqualTo("in");
        assertThat(kafka.tokenTopic()).isEqualTo("tokens");
        assertThat(kafka.properties())
                .isEqualTo(Map.of("security.protocol", "SASL_SSL", "sasl.mechanism", "PLAIN", "client.rack", "a"));
        new CommandLine(command)
                .parseArgs("--client-properties", folder.resolve("none").toString());
        assertThatThrownBy(
                        () -> command.kafka(Configuration.fromMap(Map.of("millrace.kafka.bootstrap-servers", "a:1"))))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("none cannot be read");
    }

    @Test
    void tokensComeFromOptionFileAndEnvironment() throws Exception {
        Path file = folder.resolve("tokens");
        Files.writeString(file, "# ours\n  three \n\nfour\n");
        AccessOptions access = parse("--token", "one", "--token", "two", "--token-file", file.toString());
        assertThat(access.access(Map.of(AccessOptions.TOKENS_VARIABLE, "five, six,"))
                        .tokens())
                .containsExactly("one", "two", "five", "six", "three", "four");
        assertThat(parse().access(Map.of()).tokens()).isEmpty();
        assertThat(parse("--insecure").access(Map.of()).insecure()).isTrue();
        Files.writeString(file, "# none\n");
        AccessOptions none = parse("--token-file", file.toString());
        assertThatThrownBy(() -> none.access(Map.of()))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("1 to 10000 tokens");
        AccessOptions wrong = parse("--token", "two words");
        assertThatThrownBy(() -> wrong.access(Map.of()))
                .isInstanceOf(ServingException.class)
                .message()
                .contains("visible ASCII")
                .doesNotContain("words");
    }

    private static AccessOptions parse(String... arguments) {
        AccessOptions access = new AccessOptions();
        new CommandLine(CommandLine.Model.CommandSpec.create().addMixin("access", spec(access))).parseArgs(arguments);
        return access;
    }

    private static CommandLine.Model.CommandSpec spec(AccessOptions access) {
        return CommandLine.Model.CommandSpec.forAnnotatedObject(access);
    }

    private int run(String... arguments) {
        errors.reset();
        PrintStream err = new PrintStream(errors, true, StandardCharsets.UTF_8);
        CommandLine command = GatewayCommand.commandLine(err, err, Map.of());
        command.setErr(new PrintWriter(err, true));
        return command.execute(arguments);
    }

    private String errors() {
        return errors.toString(StandardCharsets.UTF_8);
    }
}
