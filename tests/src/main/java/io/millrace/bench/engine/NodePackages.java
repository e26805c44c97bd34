package io.millrace.bench.engine;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Installs the peer's npm packages into Millrace's cache, once. */
final class NodePackages {
    /** The version of node-llama-cpp and of its prebuilt library. */
    static final String VERSION = "3.22.1";

    private static final long INSTALL_SECONDS = 600;

    private final Path folder;
    private final Progress progress;

    NodePackages(Path cache, Progress progress) {
        this.folder = requireNonNull(cache, "cache").resolve("tools").resolve("node-llama-cpp-" + VERSION);
        this.progress = requireNonNull(progress, "progress");
    }

    /**
     * Returns the folder whose {@code node_modules} has them.
     *
     * @throws IOException if they are not there and cannot be installed, with what to do
     */
    Path install() throws IOException, InterruptedException {
        Path done = folder.resolve("installed");
        if (Files.isRegularFile(done)) {
            return folder;
        }
        if (!System.getProperty("os.name").equals("Linux")
                || !System.getProperty("os.arch").equals("amd64")) {
            throw new IOException("its prebuilt library is for 64-bit x86 Linux");
        }
        progress.say("installing node-llama-cpp " + VERSION + " into " + folder);
        Files.createDirectories(folder);
        // Without the optional packages, which are the libraries for every other kind of machine.
        npm("init", "-y");
        npm(
                "install",
                "--omit=optional",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--save-exact",
                "node-llama-cpp@" + VERSION,
                "@node-llama-cpp/linux-x64@" + VERSION);
        Files.createFile(done);
        return folder;
    }

    private void npm(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("npm"));
        command.addAll(List.of(arguments));
        Path log = folder.resolve("npm.log");
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
        } catch (IOException e) {
            throw new IOException("it needs Node.js with npm: install nodejs and npm", e);
        }
        try {
            if (!process.waitFor(INSTALL_SECONDS, TimeUnit.SECONDS)) {
                throw new IOException("npm did not finish within " + INSTALL_SECONDS + " s; see " + log);
            }
        } finally {
            process.destroy();
        }
        if (process.exitValue() != 0) {
            throw new IOException("npm could not install it; see " + log);
        }
    }
}
