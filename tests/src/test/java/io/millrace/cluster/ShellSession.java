package io.millrace.cluster;

import io.millrace.tidy.SourceTree;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A shell in the checkout that takes one block of commands after another, and ends at the first that fails. */
final class ShellSession implements AutoCloseable {
    private static final String DONE = "@@done";

    private final Process shell;
    private final BufferedWriter input;
    private final BufferedReader output;

    ShellSession(Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("bash", "-euo", "pipefail", "-s")
                .directory(SourceTree.root().toFile())
                .redirectErrorStream(true);
        builder.environment().put("MILLRACE_SKIP_BUILD", "1");
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().putAll(environment);
        shell = builder.start();
        input = shell.outputWriter();
        output = shell.inputReader();
    }

    /** Runs commands to their end and returns what they print; fails with that if one of them fails. */
    String run(String block) throws IOException {
        // What was printed last may lack its line's end.
        input.write(block + "\nprintf '\\n%s\\n' " + DONE + "\n");
        input.flush();
        StringBuilder printed = new StringBuilder();
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            if (line.equals(DONE)) {
                return printed.toString();
            }
            printed.append(line).append('\n');
        }
        throw new AssertionError("failed:\n" + block + "\nafter:\n" + printed);
    }

    @Override
    public void close() throws IOException {
        try {
            input.close();
        } catch (IOException e) {
            // It has ended by itself.
        }
        try {
            if (!shell.waitFor(20, TimeUnit.SECONDS)) {
                shell.destroyForcibly();
            }
        } catch (InterruptedException e) {
            shell.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
