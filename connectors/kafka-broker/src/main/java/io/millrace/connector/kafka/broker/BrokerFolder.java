package io.millrace.connector.kafka.broker;

import java.io.IOException;
import java.io.Reader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * What a broker's folder has: {@code ports.properties}, chosen once; {@code server.properties} and {@code
 * log4j2.properties}, written at each start; {@code broker.log}; {@code data}.
 */
final class BrokerFolder {
    private static final String HOST = "127.0.0.1";
    private static final List<String> PORT_NAMES = List.of("client", "controller", "secure");

    private final Path folder;
    private final Map<String, Integer> ports = new LinkedHashMap<>();

    BrokerFolder(Path folder) throws IOException {
        this.folder = Files.createDirectories(folder);
        Path file = folder.resolve("ports.properties");
        if (Files.exists(file)) {
            Properties known = new Properties();
            try (Reader reader = Files.newBufferedReader(file)) {
                known.load(reader);
            }
            PORT_NAMES.forEach(name -> ports.put(name, Integer.valueOf(known.getProperty(name))));
        } else {
            choosePorts();
            List<String> lines = new ArrayList<>();
            ports.forEach((name, port) -> lines.add(name + "=" + port));
            Files.write(file, lines);
        }
    }

    /** Ports that are free now; all are held until the last is chosen, so that they differ. */
    private void choosePorts() throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        try {
            for (String name : PORT_NAMES) {
                ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName(HOST));
                sockets.add(socket);
                ports.put(name, socket.getLocalPort());
            }
        } finally {
            for (ServerSocket socket : sockets) {
                socket.close();
            }
        }
    }

    String address(String port) {
        return HOST + ":" + ports.get(port);
    }

    Path logFile() {
        return folder.resolve("broker.log");
    }

    Path serverProperties() {
        return folder.resolve("server.properties");
    }

    Path logging() {
        return folder.resolve("log4j2.properties");
    }

    private Path data() {
        return folder.resolve("data");
    }

    boolean isFormatted() {
        return Files.exists(data().resolve("meta.properties"));
    }

    void write(KafkaBrokerOptions options) throws IOException {
        Map<String, String> properties = new LinkedHashMap<>(listeners(options));
        properties.put("process.roles", "broker,controller");
        properties.put("node.id", "1");
        properties.put("controller.quorum.voters", "1@" + address("controller"));
        properties.put("log.dirs", data().toString());
        properties.putAll(sizes());
        properties.putAll(options.properties());
        List<String> lines = new ArrayList<>();
        properties.forEach((key, value) -> lines.add(key + "=" + value.replace("\\", "\\\\")));
        Files.write(serverProperties(), lines, StandardCharsets.UTF_8);
        Files.write(
                logging(),
                List.of(
                        "rootLogger.level = warn",
                        "rootLogger.appenderRef.console.ref = console",
                        "appender.console.name = console",
                        "appender.console.type = Console",
                        "appender.console.layout.type = PatternLayout",
                        "appender.console.layout.pattern = %d %-5level %c{1.} %msg%n",
                        "logger.server.name = kafka.server.KafkaRaftServer",
                        "logger.server.level = info"));
    }

    private Map<String, String> listeners(KafkaBrokerOptions options) {
        KafkaListener secure = options.secureListener();
        String clients = "PLAINTEXT://" + address("client");
        String protocols = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT";
        Map<String, String> properties = new LinkedHashMap<>();
        if (secure != null) {
            clients += "," + KafkaListener.NAME + "://" + address("secure");
            protocols += "," + KafkaListener.NAME + ":" + secure.protocol();
            properties.putAll(secure.properties());
        }
        properties.put("listeners", clients + ",CONTROLLER://" + address("controller"));
        properties.put("advertised.listeners", clients);
        properties.put("listener.security.protocol.map", protocols);
        properties.put("inter.broker.listener.name", "PLAINTEXT");
        properties.put("controller.listener.names", "CONTROLLER");
        return properties;
    }

    /** One broker, a small machine, and topics that somebody has to ask for. */
    private static Map<String, String> sizes() {
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("auto.create.topics.enable", "false");
        properties.put("num.network.threads", "2");
        properties.put("num.io.threads", "4");
        properties.put("group.initial.rebalance.delay.ms", "0");
        properties.put("offsets.topic.replication.factor", "1");
        properties.put("offsets.topic.num.partitions", "4");
        properties.put("transaction.state.log.replication.factor", "1");
        properties.put("transaction.state.log.min.isr", "1");
        properties.put("transaction.state.log.num.partitions", "4");
        properties.put("share.coordinator.state.topic.replication.factor", "1");
        properties.put("share.coordinator.state.topic.min.isr", "1");
        // The default of 128 MiB is half of this broker's heap.
        properties.put("log.cleaner.dedupe.buffer.size", Integer.toString(8 << 20));
        // A broker that was killed and comes back waits until its earlier self counts as gone.
        properties.put("broker.heartbeat.interval.ms", "500");
        properties.put("broker.session.timeout.ms", "3000");
        return properties;
    }
}
