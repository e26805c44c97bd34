package io.millrace.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the cluster's main class takes, and how it refuses the rest. */
class MillraceJobMainTest {
    @TempDir
    Path folder;

    @Test
    void settingsGoOverTheFile() throws Exception {
        Path file = Files.writeString(folder.resolve("job.yaml"), """
                millrace:
                  connector: kafka
                  kafka:
                    bootstrap-servers: a:1
                    properties:
                      security.protocol: SSL
                millrace.job.name: file
                """);
        Configuration configuration = MillraceJobMain.arguments(
                List.of("-Dmillrace.job.name=first", "--config", file.toString(), "-D", "millrace.job.name=second"));
        assertThat(configuration.toMap())
                .containsEntry("millrace.job.name", "second")
                .containsEntry("millrace.connector", "kafka")
                .containsEntry("millrace.kafka.properties.security.protocol", "SSL");
    }

    @Test
    void wrongArgumentsAreNamed() {
        assertRefused("argument --parallelism", "--parallelism", "3");
        assertRefused("nothing follows --config", "--config");
        assertRefused("-Dkey is no setting", "-Dkey");
        assertRefused("/no/such/file", "--config", "/no/such/file");
        assertRefused("millrace.nothing", "-Dmillrace.nothing=1");
        assertRefused("millrace.decode.parallelism", "-Dmillrace.decode.parallelism=many");
        assertRefused("millrace.connector is LOCAL", "-Dmillrace.model.file=/m.gguf");
        assertRefused("no model is named", "-Dmillrace.connector=kafka");
        assertRefused(
                "millrace.kafka.bootstrap-servers", "-Dmillrace.connector=kafka", "-Dmillrace.model.file=/m.gguf");
        assertRefused(
                "two checkpoint intervals",
                "-Dmillrace.connector=kafka",
                "-Dmillrace.model.file=/m.gguf",
                "-Dmillrace.kafka.bootstrap-servers=a:1",
                "-Dmillrace.kafka.sink.delivery=exactly-once",
                "-Dmillrace.kafka.sink.transaction-timeout=15s");
    }

    private static void assertRefused(String message, String... arguments) {
        assertThatThrownBy(() -> MillraceJobMain.main(arguments))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining(message);
    }
}
