package io.millrace.cluster;

import io.millrace.tidy.SourceTree;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;

/**
 * A JobManager and a TaskManager as processes of their own, as Flink's scripts start them, with everything in the class
 * path that Flink's {@code lib/} would have: Flink's jars, Millrace's, and the classes of these tests.
 */
final class StandaloneCluster implements AutoCloseable {
    private static final long STOP_SECONDS = 20;

    private final Path folder;
    private final int restPort = freePort();
    private final List<Process> processes = new ArrayList<>();

    /**
     * Starts the processes; neither is ready yet.
     *
     * @param folder for configuration, logs and state
     */
    StandaloneCluster(Path folder) throws IOException {
        this.folder = folder;
        Configuration configuration = configuration();
        Path conf = Files.createDirectories(folder.resolve("conf"));
        List<String> lines = new ArrayList<>();
        for (Map.Entry<String, String> entry : configuration.toMap().entrySet()) {
            lines.add(entry.getKey() + ": \"" + entry.getValue() + "\"");
        }
        Files.write(conf.resolve("config.yaml"), lines);
        try {
            start("jobmanager", "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint", List.of());
            // What Flink's own script computes: the sizes of all kinds of memory.
            String sizes = TaskExecutorProcessUtils.generateDynamicConfigsStr(
                    TaskExecutorProcessUtils.processSpecFromConfig(configuration));
            start(
                    "taskmanager",
                    "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
                    List.of(sizes.strip().split(" +")));
        } catch (IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Where Flink's REST interface answers. */
    URI restUri() {
        return URI.create("http://127.0.0.1:" + restPort);
    }

    /** What the TaskManager has logged. */
    List<String> taskManagerLog() throws IOException {
        return Files.readAllLines(folder.resolve("taskmanager.log"));
    }

    /** All that the processes have logged, for a failure's message. */
    String logs() throws IOException {
        StringBuilder logs = new StringBuilder();
        for (String name : List.of("jobmanager", "taskmanager")) {
            List<String> lines = Files.readAllLines(folder.resolve(name + ".log"));
            logs.append(name).append(":\n");
            lines.subList(Math.max(0, lines.size() - 60), lines.size())
                    .forEach(line -> logs.append(line).append('\n'));
        }
        return logs.toString();
    }

    /** A port that is free now. */
    static int freePort() {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private Configuration configuration() {
        Configuration configuration = new Configuration();
        configuration.setString("jobmanager.rpc.address", "127.0.0.1");
        configuration.setString("jobmanager.rpc.port", Integer.toString(freePort()));
        configuration.setString("jobmanager.bind-host", "127.0.0.1");
        configuration.setString("jobmanager.memory.process.size", "768m");
        configuration.setString("taskmanager.host", "127.0.0.1");
        configuration.setString("taskmanager.bind-host", "127.0.0.1");
        configuration.setString("taskmanager.numberOfTaskSlots", "1");
        configuration.setString("taskmanager.memory.task.heap.size", "512m");
        configuration.setString("taskmanager.memory.framework.heap.size", "128m");
        configuration.setString("taskmanager.memory.managed.size", "64m");
        configuration.setString("taskmanager.memory.network.min", "32m");
        configuration.setString("taskmanager.memory.network.max", "32m");
        configuration.setString("rest.address", "127.0.0.1");
        configuration.setString("rest.bind-address", "127.0.0.1");
        configuration.setString("rest.port", Integer.toString(restPort));
        configuration.setString("io.tmp.dirs", folder.resolve("tmp").toString());
        return configuration;
    }

    private void start(String name, String mainClass, List<String> arguments) throws IOException {
        Path root = SourceTree.root();
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String argument : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
            if (argument.startsWith("--add-")) {
                command.add(argument);
            }
        }
        command.add("-Xmx640m");
        command.add("-Dmillrace.log.level=info");
        command.add("-Dlog4j.configurationFile=" + root.resolve("jobs-config/log4j2.properties"));
        command.add("-cp");
        command.add(String.join(
                File.pathSeparator,
                root.resolve("flink-job/target/classes").toString(),
                root.resolve("tests/target/test-classes").toString(),
                root.resolve("flink-job/target/lib") + "/*"));
        command.add(mainClass);
        command.add("--configDir");
        command.add(folder.resolve("conf").toString());
        command.addAll(arguments);
        Files.createDirectories(folder.resolve("tmp"));
        processes.add(new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve(name + ".log").toFile())
                .start());
    }

    @Override
    public void close() {
        processes.forEach(Process::destroy);
        for (Process process : processes) {
            try {
                if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Whether every process runs. */
    boolean isAlive() {
        return Stream.of(processes.toArray(new Process[0])).allMatch(Process::isAlive);
    }
}
