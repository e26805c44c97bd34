package io.millrace.job.cli;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.port.KafkaPort;
import io.millrace.connector.kafka.port.KafkaPortOptions;
import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.gateway.Gateway;
import io.millrace.gateway.GatewayOptions;
import io.millrace.job.graph.JobConfiguration;
import io.millrace.job.graph.KafkaConfiguration;
import io.millrace.job.graph.KafkaOptions;
import io.millrace.job.graph.MillraceOptions;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.apache.flink.configuration.Configuration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code ./millrace gateway}: a gateway as a process of its own, to a job behind Kafka. It keeps no truth, and any
 * number can run. The main class is its own, so that it starts without Flink's runtime.
 */
@Command(
        name = "millrace gateway",
        mixinStandardHelpOptions = true,
        description =
                "Serves HTTP for a job behind Kafka, until SIGINT or SIGTERM. Any number of gateways can serve one"
                        + " job; clients of one that ends go on at another.")
public final class GatewayCommand implements Callable<Integer> {
    /** A job that is known to be there answers sooner; people read what is wrong after this. */
    private static final Duration FIRST_CONTACT = Duration.ofSeconds(15);

    private final PrintStream out;
    private final Map<String, String> environment;

    @Option(
            names = "--bootstrap-servers",
            paramLabel = "HOST:PORT,...",
            description = "Where Kafka is; by default what the configuration says (millrace.kafka.bootstrap-servers).")
    private @Nullable String bootstrapServers;

    @Option(names = "--request-topic", paramLabel = "TOPIC", description = "The topic of requests.")
    private @Nullable String requestTopic;

    @Option(names = "--token-topic", paramLabel = "TOPIC", description = "The topic of token chunks.")
    private @Nullable String tokenTopic;

    @Option(
            names = "--client-properties",
            paramLabel = "FILE",
            description = "Properties of Kafka's clients, as Kafka's own tools take them: security, for one.")
    private @Nullable Path clientProperties;

    @Option(names = "--config", paramLabel = "FILE", description = "YAML, such as the job's.")
    private @Nullable Path config;

    @Option(
            names = "-D",
            paramLabel = "KEY=VALUE",
            description = "Sets an option over the configuration file, such as millrace.kafka.properties.*; see"
                    + " docs/configuration.md.")
    private final Map<String, String> settings = new LinkedHashMap<>();

    @Option(
            names = "--model",
            paramLabel = "NAME",
            description = "What clients call the model; may be repeated. By default what the configuration says.")
    private List<String> models = new ArrayList<>();

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description = "Where to listen (default: ${DEFAULT-VALUE}).")
    private String host = "127.0.0.1";

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "8080",
            description = "The port; 0 is any free one (default: ${DEFAULT-VALUE}).")
    private int port = 8080;

    @Option(
            names = "--open-turns",
            paramLabel = "N",
            defaultValue = "4096",
            description =
                    "Turns that may be open here at a time; more are refused with 429 (default: ${DEFAULT-VALUE}).")
    private int openTurns = 4096;

    @Option(
            names = "--open-requests",
            paramLabel = "N",
            defaultValue = "4096",
            description = "HTTP requests that may be open at a time (default: ${DEFAULT-VALUE}).")
    private int openRequests = 4096;

    @Option(
            names = "--drain",
            paramLabel = "SECONDS",
            defaultValue = "10",
            description =
                    "How long streams may go on when the gateway is told to stop; then they end, for their clients"
                            + " to go on elsewhere (default: ${DEFAULT-VALUE}).")
    private long drainSeconds = 10;

    @Mixin
    private final AccessOptions access = new AccessOptions();

    GatewayCommand(PrintStream out, Map<String, String> environment) {
        this.out = requireNonNull(out, "out");
        this.environment = requireNonNull(environment, "environment");
    }

    /** Runs a gateway and exits with 0 when it was told to stop, 2 for a wrong command line, 1 for all else. */
    public static void main(String[] arguments) {
        System.exit(commandLine(System.out, System.err, System.getenv()).execute(arguments));
    }

    static CommandLine commandLine(PrintStream out, PrintStream err, Map<String, String> environment) {
        return new CommandLine(new GatewayCommand(out, environment))
                .setExecutionExceptionHandler(new CommandErrors(err));
    }

    @Override
    public Integer call() throws Exception {
        Configuration configuration = config == null ? new Configuration() : JobConfiguration.load(config);
        settings.forEach(configuration::setString);
        KafkaSettings kafka = kafka(configuration);
        GatewayOptions options = options(configuration);
        options.checkAccess();
        KafkaPort kafkaPort = KafkaPort.open(kafka, KafkaPortOptions.DEFAULT.withOpenTurnsMax(openTurns));
        Gateway gateway = new Gateway(options, kafkaPort);
        CountDownLatch stopped = new CountDownLatch(1);
        try {
            gateway.start();
        } catch (RuntimeException e) {
            kafkaPort.close();
            throw e;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(gateway, kafkaPort, stopped), "millrace-stop"));
        out.println("Millrace's gateway listens at http://" + host + ":" + gateway.port());
        out.flush();
        if (!kafkaPort.awaitReady(FIRST_CONTACT)) {
            out.println("millrace: requests are refused until Kafka can be used: " + kafkaPort.problem());
            out.flush();
        }
        stopped.await();
        return 0;
    }

    KafkaSettings kafka(Configuration configuration) {
        if (bootstrapServers != null) {
            configuration.set(KafkaOptions.BOOTSTRAP_SERVERS, bootstrapServers);
        }
        if (requestTopic != null) {
            configuration.set(KafkaOptions.REQUEST_TOPIC, requestTopic);
        }
        if (tokenTopic != null) {
            configuration.set(KafkaOptions.TOKEN_TOPIC, tokenTopic);
        }
        KafkaSettings kafka = KafkaConfiguration.settings(configuration);
        if (clientProperties == null) {
            return kafka;
        }
        Map<String, String> properties = new LinkedHashMap<>(kafka.properties());
        properties.putAll(read(clientProperties));
        return kafka.withProperties(properties, kafka.consumerProperties(), kafka.producerProperties());
    }

    private static Map<String, String> read(Path file) {
        Properties properties = new Properties();
        try (InputStream in = Files.newInputStream(file)) {
            properties.load(in);
        } catch (IOException | IllegalArgumentException e) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST, "the properties file " + file + " cannot be read: " + e, e);
        }
        Map<String, String> read = new LinkedHashMap<>();
        properties.stringPropertyNames().forEach(name -> read.put(name, properties.getProperty(name)));
        return read;
    }

    private GatewayOptions options(Configuration configuration) {
        GatewayOptions.Limits limits = GatewayOptions.Limits.DEFAULT;
        GatewayOptions.Timeouts timeouts = GatewayOptions.Timeouts.DEFAULT;
        try {
            return GatewayOptions.of(names(configuration).toArray(String[]::new))
                    .withAddress(host, port)
                    .withAccess(access.access(environment))
                    .withLimits(limits.withOpenRequests(openRequests))
                    .withTimeouts(timeouts.withDrain(Duration.ofSeconds(drainSeconds)))
                    .asOneOfSeveral();
        } catch (IllegalArgumentException e) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, String.valueOf(e.getMessage()), e);
        }
    }

    private List<String> names(Configuration configuration) {
        if (!models.isEmpty()) {
            return models;
        }
        if (configuration.contains(MillraceOptions.MODEL_NAME) || configuration.contains(MillraceOptions.MODEL_FILE)) {
            return List.of(JobConfiguration.modelName(configuration));
        }
        throw new ServingException(
                ErrorCode.INVALID_REQUEST,
                "it is not said what clients call the model: name it with --model, or with a --config that does");
    }

    private void stop(Gateway gateway, KafkaPort kafkaPort, CountDownLatch stopped) {
        out.println("millrace: the gateway stops; its streams may go on for " + drainSeconds + " s");
        out.flush();
        int exitCode = 0;
        try {
            gateway.close();
            kafkaPort.close();
            out.println("millrace: stopped");
        } catch (RuntimeException e) {
            out.println("millrace: the gateway did not stop cleanly: " + e);
            exitCode = 1;
        }
        out.flush();
        stopped.countDown();
        // Without this the exit code would say that a signal ended it, as if it had not been heard.
        Runtime.getRuntime().halt(exitCode);
    }
}
