package io.millrace.bench.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.BenchSettings;
import io.millrace.bench.InProcessFlink;
import io.millrace.connector.kafka.broker.KafkaBroker;
import io.millrace.connector.kafka.broker.KafkaBrokerOptions;
import io.millrace.connector.kafka.port.KafkaPort;
import io.millrace.connector.kafka.port.KafkaPortOptions;
import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.connector.kafka.records.KafkaTopics;
import io.millrace.job.cluster.Distribution;
import io.millrace.job.graph.KafkaConfiguration;
import io.millrace.job.graph.KafkaOptions;
import io.millrace.job.graph.MillraceJob;
import io.millrace.operators.ServedModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.flink.configuration.Configuration;

/**
 * A broker as a process of its own, and in this process the job between its topics and a gateway's port to them. The
 * parts are ended in the opposite order.
 */
final class KafkaStack implements AutoCloseable {
    private static final Duration READY_LIMIT = Duration.ofSeconds(60);

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final KafkaPort port;

    /**
     * Starts all of it.
     *
     * @param folder of the broker's files
     * @param given the job's configuration, without where Kafka is
     */
    KafkaStack(BenchSettings settings, Path folder, Configuration given, ServedModel model) throws Exception {
        Configuration configuration = new Configuration(given);
        boolean started = false;
        try {
            KafkaBroker broker = KafkaBroker.start(KafkaBrokerOptions.of(
                    folder, Distribution.in(settings.root()).kafkaClassPath()));
            parts.push(broker);
            configuration.set(KafkaOptions.BOOTSTRAP_SERVERS, broker.bootstrapServers());
            KafkaSettings kafka = KafkaConfiguration.settings(configuration);
            KafkaTopics.ensure(kafka, KafkaConfiguration.topicLayout(configuration));
            parts.push(InProcessFlink.start(
                    configuration,
                    (environment, all) -> MillraceJob.defineOverKafka(environment, all, requireNonNull(model))));
            port = KafkaPort.open(kafka, KafkaPortOptions.DEFAULT);
            parts.push(port);
            if (!port.awaitReady(READY_LIMIT)) {
                throw new IllegalStateException("the port to Kafka is not ready: " + port.problem());
            }
            started = true;
        } finally {
            if (!started) {
                close();
            }
        }
    }

    KafkaPort port() {
        return port;
    }

    @Override
    public void close() throws Exception {
        while (!parts.isEmpty()) {
            parts.pop().close();
        }
    }
}
