package io.millrace.connector.kafka.records;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KafkaSettingsTest {
    private static final KafkaSettings SETTINGS = KafkaSettings.of("localhost:1");

    @Test
    void propertiesGoOverTheDefaults() {
        KafkaSettings settings = SETTINGS.withProperties(
                Map.of("security.protocol", "SSL", "linger.ms", "3"),
                Map.of("fetch.max.wait.ms", "7"),
                Map.of("linger.ms", "4"));
        assertThat(settings.producerProperties("id"))
                .containsEntry("security.protocol", "SSL")
                .containsEntry("linger.ms", "4")
                .containsEntry("acks", "all")
                .doesNotContainKey("fetch.max.wait.ms");
        assertThat(settings.consumerProperties("id"))
                .containsEntry("security.protocol", "SSL")
                .containsEntry("fetch.max.wait.ms", "7");
        assertThat(settings.adminProperties("id"))
                .containsEntry("security.protocol", "SSL")
                .doesNotContainKey("fetch.max.wait.ms");
    }

    @Test
    void sizesFollowFromTheLimitOfARequest() {
        KafkaSettings settings = SETTINGS.withMaxRequestBytes(60 << 20);
        String recordBytes = Integer.toString((60 << 20) + (64 << 10));
        assertThat(settings.producerProperties("id")).containsEntry("max.request.size", recordBytes);
        assertThat(settings.consumerProperties("id"))
                .containsEntry("max.partition.fetch.bytes", recordBytes)
                .containsEntry("fetch.max.bytes", recordBytes);
    }

    @Test
    void wrongSettingsAreNamed() {
        assertThatThrownBy(() -> SETTINGS.withTopics("a", "a", "b"))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("three topics");
        assertThatThrownBy(() -> SETTINGS.withTopics("a b", "c", "d")).hasMessageContaining("a b");
        assertThatThrownBy(() -> SETTINGS.withMaxRequestBytes(0)).hasMessageContaining("0 bytes");
        assertThatThrownBy(() -> SETTINGS.withMaxRequestBytes(Integer.MAX_VALUE))
                .hasMessageContaining("at most");
        assertThatThrownBy(() -> KafkaSettings.of(" ")).hasMessageContaining("bootstrap servers");
        assertThatThrownBy(() -> new KafkaTopics.Layout(0, 1, Duration.ofSeconds(1)))
                .hasMessageContaining("0 partitions");
    }

    @Test
    void secretsAreNotPrinted() {
        assertThat(SETTINGS.withProperties(Map.of("sasl.jaas.config", "password=\"secret\""), Map.of(), Map.of()))
                .asString()
                .doesNotContain("secret");
    }

    @Test
    void brokersThatAreNotThereAreNamed() {
        assertThatThrownBy(() -> KafkaTopics.partitionCounts(SETTINGS, Duration.ofMillis(300)))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("localhost:1")
                .hasMessageContaining("agent-requests");
    }
}
