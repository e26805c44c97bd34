package io.millrace.bench.engine;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * llama.cpp in a process of its own, run by {@code tests/bench/llama-cpp-peer.mjs}; that script says what is measured.
 * It stays up between runs, so that both sides' runs can take turns.
 */
final class LlamaCppPeer implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long STOP_SECONDS = 10;

    private final Process process;
    private final BufferedWriter commands;
    private final BufferedReader answers;
    private final List<String> command;

    private LlamaCppPeer(List<String> command, Process process) {
        this.command = List.copyOf(command);
        this.process = requireNonNull(process, "process");
        this.commands = process.outputWriter(StandardCharsets.UTF_8);
        this.answers = process.inputReader(StandardCharsets.UTF_8);
    }

    /**
     * Starts it.
     *
     * @param script the script that runs it
     * @param modules the folder that has its {@code node_modules}
     */
    static LlamaCppPeer start(Path script, Path modules, Path model, int threads) throws IOException {
        List<String> command =
                List.of("node", script.toString(), modules.toString(), model.toString(), Integer.toString(threads));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        LlamaCppPeer peer = new LlamaCppPeer(command, process);
        try {
            JsonNode ready = peer.answer();
            if (!ready.path("ready").asBoolean()) {
                throw new IOException("llama.cpp did not start: " + ready);
            }
            return peer;
        } catch (IOException e) {
            peer.close();
            throw e;
        }
    }

    /** What was started. */
    List<String> command() {
        return command;
    }

    /** Seconds from a prompt to its first token, with nothing cached. */
    double prefillSeconds(int[] prompt) throws IOException {
        ObjectNode run = JSON.createObjectNode().put("run", "prefill");
        addAll(run.putArray("prompt"), prompt);
        return run(run).path("seconds").asDouble();
    }

    /** Tokens a second of all sequences together, their prompts computed before. */
    double decodeTokensPerSecond(List<int[]> prompts, int tokens) throws IOException {
        ObjectNode run = JSON.createObjectNode().put("run", "decode").put("tokens", tokens);
        ArrayNode array = run.putArray("prompts");
        prompts.forEach(prompt -> addAll(array.addArray(), prompt));
        JsonNode result = run(run);
        return result.path("tokens").asDouble() / result.path("seconds").asDouble();
    }

    /** Seconds to the first token of a turn that adds to a prompt: with the prompt computed before, and without. */
    FollowUp followUp(int[] prompt, int[] increment) throws IOException {
        ObjectNode run = JSON.createObjectNode().put("run", "followUp");
        addAll(run.putArray("prompt"), prompt);
        addAll(run.putArray("increment"), increment);
        JsonNode result = run(run);
        return new FollowUp(
                result.path("cachedSeconds").asDouble(),
                result.path("uncachedSeconds").asDouble());
    }

    private JsonNode run(ObjectNode run) throws IOException {
        commands.write(JSON.writeValueAsString(run));
        commands.newLine();
        commands.flush();
        JsonNode result = answer();
        if (result.has("error")) {
            throw new IOException("llama.cpp failed: " + result.path("error").asText());
        }
        return result;
    }

    private JsonNode answer() throws IOException {
        String line = answers.readLine();
        if (line == null) {
            throw new IOException("llama.cpp's process ended");
        }
        return JSON.readTree(line);
    }

    private static void addAll(ArrayNode array, int[] ids) {
        for (int id : ids) {
            array.add(id);
        }
    }

    @Override
    public void close() {
        try {
            commands.close();
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            process.destroyForcibly();
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
