package io.millrace.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.model.GeneratedModel;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Sessions that outlive the process that serves them, with the commands that people type. */
@Timeout(300)
class DurableSessionsIT {
    private static final long START_SECONDS = 120;
    private static final long COMMAND_SECONDS = 60;

    /** A turn that no test sees the end of. */
    private static final int LONG_TURN_TOKENS = 30_000;

    private static final int BLOCK_TOKENS = 32;
    private static final int EVENTS_BEFORE = 40;
    private static final int EVENTS_AFTER = 200;

    @TempDir
    private Path folder;

    private final ObjectNode longTurn = AgentClient.chat("Grind without an end.", LONG_TURN_TOKENS);
    private final ObjectNode idleTurn = AgentClient.chat("Corn and water. ".repeat(60), 20);
    private Path model;

    @BeforeEach
    void makeModel() throws Exception {
        model = folder.resolve("slow.gguf");
        // Large enough that a long turn is under way for as long as a command takes.
        GeneratedModel.Options tiny = GeneratedModel.Options.tiny("llama", 5);
        GeneratedModel.write(
                model, tiny.withShape(12, 256, 768, 4, 2, 64).withLimits(tiny.vocabSize(), 2 * LONG_TURN_TOKENS));
    }

    @Test
    void stoppedWithASavepointAndResumed() throws Exception {
        JsonNode first;
        List<String> before;
        Path savepoint;
        try (LauncherProcess serve = serve("serve")) {
            AgentClient agent = agent(serve);
            first = agent.answer("idle", "1", idleTurn);
            try (AgentClient.Stream turn = agent.stream("running", "1", longTurn)) {
                before = turn.read(EVENTS_BEFORE);
                Path made = lastLine(command("savepoint", folder.resolve("made").toString()));
                assertThat(made.resolve("_metadata")).isRegularFile();

                savepoint = lastLine(command("stop", "--savepoint"));
            }
            assertThat(savepoint.getParent()).isEqualTo(home().resolve("savepoints"));
            assertThat(serve.exitCode(COMMAND_SECONDS)).as(serve.output()).isZero();
            assertThat(serve.output())
                    .contains("stopped with the savepoint " + savepoint, "./millrace resume --from " + savepoint);
        }
        String listing = command("sessions", "--json", "--from", savepoint.toString());
        JsonNode sessions = new ObjectMapper()
                .readTree(listing.substring(listing.indexOf('{')))
                .path("sessions");
        assertThat(sessions).hasSize(2);
        for (JsonNode session : sessions) {
            boolean running = session.path("session_id").asText().equals("running");
            assertThat(session.path("running_turns").asInt()).isEqualTo(running ? 1 : 0);
            assertThat(session.path("state_blocks").asInt())
                    .as(session.toString())
                    .isPositive();
            assertThat(session.path("tier").asText()).isEqualTo("state");
        }
        try (LauncherProcess resumed = serve("resume", "--from", savepoint.toString())) {
            AgentClient agent = agent(resumed);
            turnGoesOn(agent, before);
            JsonNode next = agent.answer("idle", "2", AgentClient.next(idleTurn, content(first), "And now?"));
            // Nothing is on the device of a new process: what is cached came from the savepoint.
            assertThat(next.at("/usage/prompt_tokens_details/cached_tokens").asInt())
                    .isGreaterThan(first.at("/usage/prompt_tokens").asInt() - BLOCK_TOKENS);

            assertThat(command("sessions")).contains("SESSION", "running", "idle", "3 sessions");
            resumed.signal("TERM");
            assertThat(resumed.exitCode(COMMAND_SECONDS)).as(resumed.output()).isZero();
            assertThat(resumed.output()).contains("its last checkpoint is kept");
        }
    }

    @Test
    void killedAndResumedFromItsLastCheckpoint() throws Exception {
        List<String> before;
        Path checkpoints;
        try (LauncherProcess serve = serve("serve", "-Dexecution.checkpointing.interval=300 ms")) {
            AgentClient agent = agent(serve);
            try (AgentClient.Stream turn = agent.stream("running", "1", longTurn)) {
                before = turn.read(EVENTS_BEFORE);
                checkpoints = newCheckpoint();
            }
            serve.kill();
        }
        try (LauncherProcess resumed = serve("resume", "--from", checkpoints.toString())) {
            turnGoesOn(agent(resumed), before);
            assertThat(resumed.output()).contains("resuming from " + checkpoints, "was killed");
        }
    }

    @Test
    void saysWhatIsWrong() throws Exception {
        try (LauncherProcess resume =
                start("resume", "--from", folder.resolve("none").toString())) {
            assertThat(resume.exitCode(COMMAND_SECONDS)).isEqualTo(1);
            assertThat(resume.output()).contains("none is not there").doesNotContain("\tat ");
        }
        try (LauncherProcess stop = start("stop", "--savepoint", "--url", "http://127.0.0.1:1")) {
            assertThat(stop.exitCode(COMMAND_SECONDS)).isEqualTo(1);
            assertThat(stop.output())
                    .contains("no Flink answers at http://127.0.0.1:1")
                    .doesNotContain("\tat ");
        }
    }

    /** The turn's client asks again, and gets every token: those it has read, and those that came after them. */
    private void turnGoesOn(AgentClient agent, List<String> before) throws Exception {
        List<String> whole;
        try (AgentClient.Stream turn = agent.stream("running", "1", longTurn)) {
            whole = turn.read(before.size() + EVENTS_AFTER);
        }
        assertThat(whole).startsWith(before.toArray(new String[0]));
        List<String> undisturbed;
        try (AgentClient.Stream turn = agent.stream("undisturbed", "1", longTurn)) {
            undisturbed = turn.read(whole.size());
        }
        assertThat(whole).isEqualTo(undisturbed);
    }

    /** Waits for a checkpoint that began after this call; returns the folder of the job's checkpoints. */
    private Path newCheckpoint() throws Exception {
        List<Path> seen = completedCheckpoints();
        long deadline = System.nanoTime() + 60_000_000_000L;
        while (System.nanoTime() < deadline) {
            List<Path> now = completedCheckpoints();
            now.removeAll(seen);
            // The first one that is new may have begun before.
            if (!now.isEmpty() && seen.isEmpty()) {
                seen = completedCheckpoints();
            } else if (!now.isEmpty()) {
                return now.get(0).getParent();
            }
            Thread.sleep(20);
        }
        throw new AssertionError("no checkpoint completes");
    }

    private List<Path> completedCheckpoints() throws Exception {
        if (!Files.isDirectory(home().resolve("checkpoints"))) {
            return new ArrayList<>();
        }
        try (var files =
                Files.find(home().resolve("checkpoints"), 3, (path, attributes) -> path.endsWith("_metadata"))) {
            return new ArrayList<>(files.map(Path::getParent).toList());
        } catch (java.io.UncheckedIOException e) {
            // One of them was dropped just now.
            return new ArrayList<>();
        }
    }

    private LauncherProcess serve(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--model", model.toString(), "--port", "0", "--web-port", "0"));
        return start(all.toArray(new String[0]));
    }

    private LauncherProcess start(String... arguments) throws Exception {
        return LauncherProcess.start(
                Map.of("MILLRACE_HOME", home().toString(), "MILLRACE_JVM_OPTS", "-Xmx1g"), arguments);
    }

    private Path home() {
        return folder.resolve("home");
    }

    /** What a command prints, which ends well. */
    private String command(String... arguments) throws Exception {
        try (LauncherProcess command = start(arguments)) {
            assertThat(command.exitCode(COMMAND_SECONDS)).as(command.output()).isZero();
            return command.output();
        }
    }

    private static Path lastLine(String output) {
        return Path.of(output.substring(output.lastIndexOf('\n') + 1));
    }

    private static AgentClient agent(LauncherProcess serve) throws Exception {
        String line = serve.awaitLine(each -> each.startsWith("Millrace serves "), START_SECONDS);
        return new AgentClient(URI.create(line.substring(line.indexOf("http")).strip()));
    }

    private static String content(JsonNode answer) {
        return answer.at("/choices/0/message/content").asText();
    }
}
