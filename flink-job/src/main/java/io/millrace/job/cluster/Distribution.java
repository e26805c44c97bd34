package io.millrace.job.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the build makes for clusters:
 *
 * <pre>
 *   lib/            one jar for Flink's lib/: engine, operators, connectors
 *   job/            the jar that is submitted: a main class
 *   conf/           settings
 *   flink/lib/      Flink
 *   kafka/lib/      Kafka's broker
 *   zookeeper/lib/  ZooKeeper
 * </pre>
 *
 * @param folder of all that
 * @param commandClassPath the class path of Millrace's own programs, such as gateways
 */
public record Distribution(Path folder, List<String> commandClassPath) {
    /** The system property that names the folder of the launcher. */
    private static final String ROOT_PROPERTY = "millrace.root";

    public Distribution {
        requireNonNull(folder, "folder");
        commandClassPath = List.copyOf(commandClassPath);
    }

    /**
     * Of the launcher that started this process.
     *
     * @throws ServingException {@code INVALID_REQUEST} if nothing was built
     */
    public static Distribution ofLauncher() {
        return in(Path.of(System.getProperty(ROOT_PROPERTY, ".")));
    }

    /**
     * What was built in a checkout.
     *
     * @throws ServingException {@code INVALID_REQUEST} if nothing was
     */
    public static Distribution in(Path root) {
        Path built = root.toAbsolutePath().normalize().resolve("flink-job/target");
        Path folder = built.resolve("dist");
        if (!Files.isRegularFile(folder.resolve("job/millrace-job.jar"))) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST, "there is no distribution in " + folder + "; ./millrace build makes it");
        }
        return new Distribution(folder, List.of(built.resolve("classes").toString(), built.resolve("lib") + "/*"));
    }

    /** What is submitted. */
    public Path jobJar() {
        return folder.resolve("job/millrace-job.jar");
    }

    /** The jar for Flink's {@code lib/}. */
    public Path libJar() {
        try (Stream<Path> files = Files.list(folder.resolve("lib"))) {
            return files.filter(file -> file.toString().endsWith(".jar"))
                    .findFirst()
                    .orElseThrow(() -> new IOException("no jar in it"));
        } catch (IOException e) {
            throw new ServingException(ErrorCode.INTERNAL, folder + " is no whole distribution: " + e, e);
        }
    }

    /** Settings, by their file's name in {@code jobs-config}. */
    public Path conf(String name) {
        return folder.resolve("conf").resolve(name);
    }

    /** The class path of Flink's processes. */
    public List<String> flinkClassPath() {
        return List.of(libJar().toString(), folder.resolve("flink/lib") + "/*");
    }

    /** The class path of a broker. */
    public List<String> kafkaClassPath() {
        return List.of(folder.resolve("kafka/lib") + "/*");
    }

    /** The class path of ZooKeeper. */
    public List<String> zookeeperClassPath() {
        return List.of(folder.resolve("zookeeper/lib") + "/*");
    }
}
