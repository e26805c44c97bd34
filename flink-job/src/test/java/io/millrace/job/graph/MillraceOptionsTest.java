package io.millrace.job.graph;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.description.HtmlFormatter;
import org.junit.jupiter.api.Test;

/** No option appears, vanishes or changes its default unnoticed. */
class MillraceOptionsTest {
    private static final Path PAGE = Path.of("..", "docs", "configuration.md");

    @Test
    void optionsAndDefaults() {
        Map<String, String> expected = new LinkedHashMap<>();
        expected.put("millrace.backend.device", "-1");
        expected.put("millrace.backend.name", "auto");
        expected.put("millrace.backend.parameters", "none");
        expected.put("millrace.backend.threads", "0");
        expected.put("millrace.connector", "LOCAL");
        expected.put("millrace.decode.max-unacknowledged-steps", "4");
        expected.put("millrace.decode.parallelism", "1");
        expected.put("millrace.decode.pending-turns", "256");
        expected.put("millrace.decode.save-cancels-first", "none");
        expected.put("millrace.disaggregation.copy-memory", "24 mb");
        expected.put("millrace.disaggregation.decode-resources", "none");
        expected.put("millrace.disaggregation.enabled", "false");
        expected.put("millrace.disaggregation.prefill-batch-tokens", "256");
        expected.put("millrace.disaggregation.prefill-resources", "none");
        expected.put("millrace.disaggregation.prefill-slot-group", "prefill");
        expected.put("millrace.engine.block-count", "0");
        expected.put("millrace.engine.block-size-tokens", "32");
        expected.put("millrace.engine.device-memory-fraction", "0.9");
        expected.put("millrace.engine.device-memory-reserve", "512 mb");
        expected.put("millrace.engine.kv-memory", "none");
        expected.put("millrace.engine.linger", "1 min");
        expected.put("millrace.engine.max-batch-sequences", "64");
        expected.put("millrace.engine.max-batch-tokens", "512");
        expected.put("millrace.engine.max-model-tokens", "0");
        expected.put("millrace.engine.queue-capacity", "1024");
        expected.put("millrace.host-tier.enabled", "true");
        expected.put("millrace.host-tier.max-size", "none");
        expected.put("millrace.host-tier.weight", "70");
        expected.put("millrace.job.buffer-timeout", "0 ms");
        expected.put("millrace.job.max-parallelism", "128");
        expected.put("millrace.job.name", "millrace");
        expected.put("millrace.kafka.bootstrap-servers", "none");
        expected.put("millrace.kafka.consumer.properties", "none");
        expected.put("millrace.kafka.max-request-size", "8 mb");
        expected.put("millrace.kafka.producer.properties", "none");
        expected.put("millrace.kafka.properties", "none");
        expected.put("millrace.kafka.sink.delivery", "at-least-once");
        expected.put("millrace.kafka.sink.transaction-timeout", "10 min");
        expected.put("millrace.kafka.sink.transactional-id-prefix", "millrace");
        expected.put("millrace.kafka.source.discovery-interval", "10 s");
        expected.put("millrace.kafka.source.group-id", "millrace");
        expected.put("millrace.kafka.source.start", "COMMITTED");
        expected.put("millrace.kafka.topics.create", "false");
        expected.put("millrace.kafka.topics.dead-letters", "agent-requests-dead");
        expected.put("millrace.kafka.topics.partitions", "4");
        expected.put("millrace.kafka.topics.replication", "-1");
        expected.put("millrace.kafka.topics.requests", "agent-requests");
        expected.put("millrace.kafka.topics.tokens", "agent-tokens");
        expected.put("millrace.local.open-turns", "4096");
        expected.put("millrace.local.queue-capacity", "1024");
        expected.put("millrace.local.retained-memory", "64 mb");
        expected.put("millrace.local.retained-turns", "1024");
        expected.put("millrace.model.file", "none");
        expected.put("millrace.model.name", "none");
        expected.put("millrace.model.repository", "none");
        expected.put("millrace.prefill.min-uncached-tokens", "256");
        expected.put("millrace.prefill.parallelism", "1");
        expected.put("millrace.prefill.pending-turns", "256");
        expected.put("millrace.router.parallelism", "1");
        expected.put("millrace.router.remembered-requests", "128");
        expected.put("millrace.router.request-ttl", "30 d");
        expected.put("millrace.router.session-ttl", "30 d");
        expected.put("millrace.source.parallelism", "1");
        expected.put("millrace.speculation.draft-kv-memory", "128 mb");
        expected.put("millrace.speculation.draft-model", "none");
        expected.put("millrace.speculation.drafters", "CONSTRAINT;LOOKUP;MODEL");
        expected.put("millrace.speculation.enabled", "true");
        expected.put("millrace.speculation.max-draft-tokens", "16");
        expected.put("millrace.state-tier.copy-memory", "24 mb");
        expected.put("millrace.state-tier.enabled", "true");
        expected.put("millrace.state-tier.max-size", "16384 mb");
        expected.put("millrace.state-tier.min-blocks", "16");
        expected.put("millrace.state-tier.min-free-disk", "1024 mb");
        expected.put("millrace.state-tier.retention", "LEAST_RECENTLY_USED");
        expected.put("millrace.tiers.load", "MEASURED");
        Map<String, String> actual = new LinkedHashMap<>();
        for (ConfigOption<?> option : MillraceOptions.all()) {
            actual.put(option.key(), OptionDocs.defaultText(option));
        }
        assertThat(actual).containsExactlyEntriesOf(expected);
    }

    @Test
    void everyOptionIsListedAndDescribed() throws Exception {
        List<ConfigOption<?>> declared = new ArrayList<>();
        for (Class<?> options : List.of(MillraceOptions.class, KafkaOptions.class)) {
            for (Field field : options.getFields()) {
                if (field.getType() == ConfigOption.class) {
                    declared.add((ConfigOption<?>) field.get(null));
                }
            }
        }
        assertThat(MillraceOptions.all()).containsExactlyInAnyOrderElementsOf(declared);
        for (ConfigOption<?> option : declared) {
            assertThat(new HtmlFormatter().format(option.description()))
                    .as(option.key())
                    .endsWith(".");
        }
    }

    /** To write the page anew: {@code mvn test -pl flink-job -am -Dtest=MillraceOptionsTest -Dmillrace.docs.write}. */
    @Test
    void pageIsMadeFromTheOptions() throws Exception {
        String page = OptionDocs.markdown(MillraceOptions.all());
        if (System.getProperty("millrace.docs.write") != null) {
            Files.createDirectories(PAGE.getParent());
            Files.writeString(PAGE, page);
        }
        assertThat(PAGE).as("run with -Dmillrace.docs.write to write it").hasContent(page);
    }
}
