package io.millrace.connector.kafka.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A real broker that is killed, started again, asked for names and passwords, and started wrongly. */
class KafkaBrokerITCase {
    @TempDir
    Path folder;

    @Test
    void killedBrokerComesBackWithItsPortAndItsRecords() throws Exception {
        KafkaBrokerOptions options = KafkaBrokerOptions.of(folder.resolve("kafka"), JavaCommand.ownClassPath());
        String address;
        try (KafkaBroker broker = KafkaBroker.start(options)) {
            address = broker.bootstrapServers();
            Map<String, Object> client = Map.of("bootstrap.servers", address);
            try (Admin admin = Admin.create(client)) {
                admin.createTopics(List.of(new NewTopic("topic", 2, (short) 1)))
                        .all()
                        .get(30, TimeUnit.SECONDS);
            }
            assertThat(send(client)).isZero();
            broker.kill();
            assertThat(broker.isAlive()).isFalse();
        }
        try (KafkaBroker broker = KafkaBroker.start(options)) {
            assertThat(broker.bootstrapServers()).isEqualTo(address);
            assertThat(JavaProcess.find("broker", broker.pid(), broker.process().startTime(), broker.logFile()))
                    .isPresent();
            assertThat(JavaProcess.find("broker", broker.pid(), Instant.EPOCH, broker.logFile()))
                    .isEmpty();
            assertThat(send(Map.of("bootstrap.servers", address))).isEqualTo(1);
            broker.stop(Duration.ofSeconds(30));
            assertThat(broker.isAlive()).isFalse();
        }
    }

    @Test
    void secondListenerAsksForNameAndPassword() throws Exception {
        KafkaBrokerOptions options = KafkaBrokerOptions.of(folder.resolve("kafka"), JavaCommand.ownClassPath())
                .withSecureListener(new KafkaListener(
                        null, new KafkaListener.Authentication("SCRAM-SHA-256", Map.of("alice", "secret"))));
        try (KafkaBroker broker = KafkaBroker.start(options)) {
            try (Admin admin = Admin.create(scram(broker, "secret"))) {
                assertThat(admin.describeCluster().nodes().get(30, TimeUnit.SECONDS))
                        .hasSize(1);
            }
            try (Admin admin = Admin.create(scram(broker, "wrong"))) {
                assertThatThrownBy(() -> admin.describeCluster().nodes().get(30, TimeUnit.SECONDS))
                        .hasMessageContaining("SCRAM-SHA-256");
            }
        }
    }

    @Test
    void brokerThatCannotStartSaysWhy() throws Exception {
        KafkaBrokerOptions options = KafkaBrokerOptions.of(folder.resolve("kafka"), JavaCommand.ownClassPath())
                .withProperties(Map.of("num.network.threads", "none"));
        assertThatThrownBy(() -> KafkaBroker.start(options))
                .isInstanceOf(JavaProcessException.class)
                .hasMessageContaining("num.network.threads");
        assertThat(Files.exists(folder.resolve("kafka/broker.log"))).isTrue();
    }

    private static Map<String, Object> scram(KafkaBroker broker, String password) {
        return Map.of(
                "bootstrap.servers",
                broker.secureBootstrapServers(),
                "security.protocol",
                "SASL_PLAINTEXT",
                "sasl.mechanism",
                "SCRAM-SHA-256",
                "sasl.jaas.config",
                "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"alice\" password=\""
                        + password + "\";");
    }

    /** Returns the offset of one more record. */
    private static long send(Map<String, Object> client) throws Exception {
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(client, new StringSerializer(), new StringSerializer())) {
            return producer.send(new ProducerRecord<>("topic", 0, "key", "value"))
                    .get(30, TimeUnit.SECONDS)
                    .offset();
        }
    }
}
