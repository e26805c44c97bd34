package io.millrace.connector.kafka.port;

import static io.millrace.connector.kafka.port.TestingRequests.assertWhole;
import static io.millrace.connector.kafka.port.TestingRequests.await;
import static io.millrace.connector.kafka.port.TestingRequests.chat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.connector.kafka.broker.JavaCommand;
import io.millrace.connector.kafka.broker.KafkaBroker;
import io.millrace.connector.kafka.broker.KafkaBrokerOptions;
import io.millrace.connector.kafka.broker.KafkaListener;
import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.connector.kafka.records.KafkaTopics;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A port, and a job, behind a broker that speaks TLS only and asks for a name and a password. */
class SecureKafkaITCase {
    @TempDir
    private static Path folder;

    @Test
    void tlsAndSaslAreProperties() throws Exception {
        Path keyStore = TestingKeys.keyStore(folder);
        KafkaBrokerOptions options = KafkaBrokerOptions.of(folder.resolve("kafka"), JavaCommand.ownClassPath())
                .withSecureListener(new KafkaListener(
                        new KafkaListener.KeyStore(keyStore, TestingKeys.PASSWORD, "PKCS12"),
                        new KafkaListener.Authentication("SCRAM-SHA-512", Map.of("gateway", "the password"))));
        try (KafkaBroker broker = KafkaBroker.start(options)) {
            Map<String, String> properties = new HashMap<>(Map.of(
                    "security.protocol",
                    "SASL_SSL",
                    "sasl.mechanism",
                    "SCRAM-SHA-512",
                    "ssl.truststore.location",
                    TestingKeys.trustStore(folder, keyStore).toString(),
                    "ssl.truststore.password",
                    TestingKeys.PASSWORD,
                    "ssl.truststore.type",
                    "PKCS12",
                    "sasl.jaas.config",
                    jaas("the password")));
            KafkaSettings settings =
                    KafkaSettings.of(broker.secureBootstrapServers()).withProperties(properties, Map.of(), Map.of());
            KafkaTopics.ensure(settings, new KafkaTopics.Layout(2, 1, Duration.ofSeconds(30)));
            try (TestingKafkaJob job = new TestingKafkaJob(settings);
                    KafkaPort port = KafkaPort.open(settings, KafkaPortOptions.DEFAULT)) {
                assertThat(port.awaitReady(Duration.ofSeconds(30)))
                        .as(port.problem())
                        .isTrue();
                assertWhole(port.submit(chat("s", "r", 10)), 10);
                assertThat(job.turnCount()).isEqualTo(1);
            }
            properties.put("sasl.jaas.config", jaas("another password"));
            assertNotReady(settings.withProperties(properties, Map.of(), Map.of()), "Authentication failed");
            properties.put("sasl.jaas.config", jaas("the password"));
            properties.keySet().removeIf(name -> name.startsWith("ssl."));
            assertNotReady(settings.withProperties(properties, Map.of(), Map.of()), "SSL handshake failed");
        }
    }

    private static void assertNotReady(KafkaSettings settings, String why) throws Exception {
        try (KafkaPort port = KafkaPort.open(settings, KafkaPortOptions.DEFAULT)) {
            await("the reason: " + why, () -> port.problem().contains(why));
            assertThat(port.isReady()).isFalse();
            assertThatThrownBy(() -> port.submit(chat("s", "r2", 10)))
                    .isInstanceOfSatisfying(
                            ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.UNAVAILABLE));
        }
    }

    private static String jaas(String password) {
        return "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"gateway\" password=\""
                + password + "\";";
    }
}
