package io.millrace.job.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.job.graph.MillraceOptions;
import io.millrace.kv.ServingException;
import io.millrace.model.GeneratedModel;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class MillraceCommandTest {
    @TempDir
    private Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final StringWriter errors = new StringWriter();

    @Test
    void commandLineGoesOverTheFile() throws Exception {
        Path file = folder.resolve("job.yaml");
        Files.writeString(file, "millrace.backend.threads: 3\nmillrace.job.name: from-file\n");

        Path model = folder.resolve("m.gguf");
        GeneratedModel.write(model, GeneratedModel.Options.tiny("llama", 1));

        Configuration configuration = parse("--config", file.toString(), "-D", "millrace.backend.threads=1")
                .configuration(model, folder);

        assertThat(configuration.get(MillraceOptions.BACKEND_THREADS)).isEqualTo(1);
        assertThat(configuration.get(MillraceOptions.JOB_NAME)).isEqualTo("from-file");
        assertThat(configuration.get(MillraceOptions.MODEL_FILE)).endsWith("m.gguf");
    }

    @Test
    void configurationMayNameTheModel() {
        assertThat(parse("-D", "millrace.model.file=x.gguf").configuresModel()).isTrue();
        assertThat(parse("-Dmillrace.model.repository=r").configuresModel()).isTrue();
        assertThat(parse().configuresModel()).isFalse();
    }

    @Test
    void modelFileMustBeThere() {
        ModelOptions options = parse("--model", folder.resolve("none.gguf").toString());
        assertThatThrownBy(options::model).hasMessageContaining("there is no model file");
    }

    @Test
    void damagedModelIsNamedAtOnce() throws Exception {
        Path damaged = folder.resolve("damaged.gguf");
        Files.writeString(damaged, "this is no model");

        assertThatThrownBy(() -> parse().configuration(damaged, folder))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("damaged.gguf");
    }

    @Test
    void draftModelOfAnotherVocabularyIsNamedAtOnce() throws Exception {
        GeneratedModel.Options tiny = GeneratedModel.Options.tiny("llama", 1);
        Path model = folder.resolve("m.gguf");
        GeneratedModel.write(model, tiny);
        Path larger = folder.resolve("larger.gguf");
        GeneratedModel.write(larger, tiny.withLimits(600, 4096));
        // As many tokens, but others.
        Path other = folder.resolve("other.gguf");
        GeneratedModel.write(other, GeneratedModel.Options.tiny("gemma3", 1));

        draftRefused(model, folder.resolve("none.gguf"), "the draft model", "none.gguf: cannot be read");
        draftRefused(model, larger, "larger.gguf has a vocabulary of 600 tokens, and", "m.gguf one of 512");
        draftRefused(model, other, "other.gguf has '<pad>' as token 0, and", "m.gguf '<|endoftext|>'");
        assertThat(parse("-Dmillrace.speculation.draft-model=" + model).configuration(model, folder))
                .isNotNull();
    }

    private void draftRefused(Path model, Path draft, String... message) {
        assertThatThrownBy(() ->
                        parse("-Dmillrace.speculation.draft-model=" + draft).configuration(model, folder))
                .isInstanceOf(ServingException.class)
                .hasMessageContainingAll(message);
    }

    @Test
    void whatIsNotThereIsNamed() {
        assertThat(run("savepoint", "--url", "http://127.0.0.1:1")).isEqualTo(1);
        assertThat(run("stop", "--savepoint", "--url", "here")).isEqualTo(1);
        assertThat(run("rescale", "--parallelism", "2", "--url", "http://127.0.0.1:1"))
                .isEqualTo(1);
        assertThat(run("resume", "--from", folder.resolve("none").toString())).isEqualTo(1);
        assertThat(run("sessions", "--from", folder.toString())).isEqualTo(1);
    }

    @Test
    void wrongCommandLinesEndWithTwo() {
        assertThat(run("fly")).isEqualTo(2);
        assertThat(run("demo", "--turns", "4")).isEqualTo(2);
        assertThat(run("demo", "--turns", "many")).isEqualTo(2);
        assertThat(run("serve", "--port", "x")).isEqualTo(2);
        assertThat(run("stop")).isEqualTo(2);
        assertThat(run("resume")).isEqualTo(2);
        assertThat(run("savepoint", "--format", "blue")).isEqualTo(2);
        assertThat(run("rescale")).isEqualTo(2);
        assertThat(run("rescale", "--parallelism", "0")).isEqualTo(2);
        assertThat(run("sessions", "--limit", "0")).isEqualTo(2);
        assertThat(run("sessions", "--url", "http://127.0.0.1:1", "--job", "x")).isEqualTo(2);
        assertThat(errors.toString())
                .contains("--turns must be from 5 to 24", "many", "--savepoint", "--from", "blue", "32 hexadecimal");
    }

    @Test
    void missingModelEndsWithTwoAndItsName() {
        assertThat(run("serve", "--model", "nowhere.gguf")).isEqualTo(2);
        assertThat(errors.toString()).contains("there is no model file nowhere.gguf");
    }

    private int run(String... arguments) {
        PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
        return MillraceCommand.commandLine(stream, stream)
                .setErr(new PrintWriter(errors))
                .execute(arguments);
    }

    private static ModelOptions parse(String... arguments) {
        TestingCommand command = new TestingCommand();
        new CommandLine(command).parseArgs(arguments);
        return command.options;
    }

    /** A command that has the options alone. */
    @CommandLine.Command
    private static final class TestingCommand {
        @CommandLine.Mixin
        private final ModelOptions options = new ModelOptions();
    }
}
