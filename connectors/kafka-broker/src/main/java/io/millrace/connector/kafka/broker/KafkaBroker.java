package io.millrace.connector.kafka.broker;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;

/**
 * A Kafka broker as a process of this machine, broker and controller in one, on the loopback address. Killed and
 * started again in the same folder it has the same ports and what it had acknowledged.
 */
public final class KafkaBroker implements AutoCloseable {
    private static final String READY = "Kafka Server started";
    private static final int CONNECT_MS = 1000;

    private final JavaProcess process;
    private final BrokerFolder folder;

    private KafkaBroker(JavaProcess process, BrokerFolder folder) {
        this.process = requireNonNull(process, "process");
        this.folder = requireNonNull(folder, "folder");
    }

    /**
     * Starts a broker and waits until it is ready; formats its folder first, if that is new.
     *
     * @throws JavaProcessException with the end of its log, if it does not become ready
     * @throws IOException if its folder cannot be written, or no process be started
     */
    public static KafkaBroker start(KafkaBrokerOptions options) throws IOException, InterruptedException {
        BrokerFolder folder = new BrokerFolder(options.folder());
        folder.write(options);
        if (!folder.isFormatted()) {
            format(options, folder);
        }
        JavaProcess process = JavaProcess.start(
                "the Kafka broker",
                command(options, folder, "kafka.Kafka")
                        .withArguments(List.of(folder.serverProperties().toString())));
        KafkaBroker broker = new KafkaBroker(process, folder);
        try {
            process.awaitReady(broker::isReady, options.startLimit());
            return broker;
        } catch (InterruptedException | RuntimeException e) {
            broker.close();
            throw e;
        }
    }

    private static void format(KafkaBrokerOptions options, BrokerFolder folder)
            throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of(
                "format", "-t", newClusterId(), "-c", folder.serverProperties().toString()));
        KafkaListener listener = options.secureListener();
        if (listener != null
                && listener.authentication() != null
                && !listener.authentication().isPlain()) {
            KafkaListener.Authentication scram = listener.authentication();
            scram.passwords().forEach((user, password) -> {
                arguments.add("--add-scram");
                arguments.add(scram.mechanism() + "=[name=" + user + ",password=" + password + "]");
            });
        }
        JavaProcess format = JavaProcess.start(
                "the formatting of the Kafka broker's folder",
                command(options, folder, "kafka.tools.StorageTool").withArguments(arguments));
        try (format) {
            format.awaitEnd(options.startLimit());
        }
        if (!folder.isFormatted()) {
            throw new JavaProcessException(
                    "the Kafka broker's folder " + options.folder() + " was not formatted:\n" + format.logTail());
        }
    }

    private static JavaCommand command(KafkaBrokerOptions options, BrokerFolder folder, String mainClass) {
        return JavaCommand.of(options.classPath(), mainClass, options.folder(), folder.logFile())
                .withJvmArguments(List.of(
                        "-Xmx" + options.heapMegabytes() + "m",
                        "-Dlog4j2.configurationFile=" + folder.logging().toUri(),
                        "-Djava.awt.headless=true"));
    }

    /** A new id as Kafka writes them: 16 bytes in 22 characters. It must not begin with a dash, as an option does. */
    private static String newClusterId() {
        while (true) {
            UUID uuid = UUID.randomUUID();
            byte[] bytes = ByteBuffer.allocate(16)
                    .putLong(uuid.getMostSignificantBits())
                    .putLong(uuid.getLeastSignificantBits())
                    .array();
            String id = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
            if (!id.startsWith("-")) {
                return id;
            }
        }
    }

    private boolean isReady() throws IOException {
        if (!process.log().contains(READY)) {
            return false;
        }
        URI address = URI.create("kafka://" + bootstrapServers());
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address.getHost(), address.getPort()), CONNECT_MS);
            return true;
        }
    }

    /** Where clients begin, without security. */
    public String bootstrapServers() {
        return folder.address("client");
    }

    /** Where clients begin that use the second listener; nobody listens there if there is none. */
    public String secureBootstrapServers() {
        return folder.address("secure");
    }

    /** The process's id. */
    public long pid() {
        return process.pid();
    }

    /** The process. */
    public JavaProcess process() {
        return process;
    }

    /** What it has logged. */
    public Path logFile() {
        return folder.logFile();
    }

    /** Whether it runs. */
    public boolean isAlive() {
        return process.isAlive();
    }

    /** Kills it at once. */
    public void kill() throws InterruptedException {
        process.kill();
    }

    /** Asks it to end, and kills it if it has not after a while. */
    public void stop(Duration limit) throws InterruptedException {
        process.stop(limit);
    }

    @Override
    public void close() {
        process.close();
    }
}
