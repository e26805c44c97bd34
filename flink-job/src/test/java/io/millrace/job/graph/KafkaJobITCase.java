package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.connector.kafka.broker.JavaCommand;
import io.millrace.connector.kafka.broker.KafkaBroker;
import io.millrace.connector.kafka.broker.KafkaBrokerOptions;
import io.millrace.connector.kafka.records.KafkaRecords;
import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.connector.kafka.records.KafkaTopics;
import io.millrace.connector.port.TurnStream;
import io.millrace.engine.Engine;
import io.millrace.kv.ServingException;
import io.millrace.operators.testing.TestingModelText;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.proto.AgentRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/** The job with its requests and chunks in a real Kafka. */
class KafkaJobITCase {
    private static final KafkaTopics.Layout LAYOUT = new KafkaTopics.Layout(3, 1, Duration.ofSeconds(60));
    private static final int MAX_REQUEST_BYTES = 5 << 20;

    @TempDir
    static Path brokerFolder;

    private static KafkaBroker broker;

    @TempDir
    Path directory;

    private final TestingEngine.Alone alone = new TestingEngine.Alone();
    private KafkaSettings kafka;
    private String name = "";
    private Engine engine;

    @BeforeAll
    static void startBroker() throws Exception {
        broker = KafkaBroker.start(KafkaBrokerOptions.of(brokerFolder, JavaCommand.ownClassPath()));
    }

    @AfterAll
    static void stopBroker() throws Exception {
        broker.kill();
    }

    @BeforeEach
    void makeTopics(TestInfo test) throws Exception {
        name = test.getTestMethod().orElseThrow().getName();
        kafka = KafkaSettings.of(broker.bootstrapServers())
                .withTopics(name + "-requests", name + "-tokens", name + "-dead")
                .withMaxRequestBytes(MAX_REQUEST_BYTES);
        KafkaTopics.ensure(kafka, LAYOUT);
    }

    @AfterEach
    void engineIsLeftClean() {
        alone.close();
        if (engine != null) {
            engine.checkIntegrity();
            engine.close();
        }
    }

    @Test
    void turnsAreThoseOfTheInProcessPort() throws Exception {
        List<AgentRequest> requests = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            requests.add(request("s" + i % 7, "r" + i, "x".repeat(10 * i), 30));
        }
        TestingServedModel model = start(TestingEngine.instance(512));
        try (TestingKafkaJob job = new TestingKafkaJob(kafka, model, parallel());
                TestingKafkaClient client = new TestingKafkaClient(kafka)) {
            client.send(requests.toArray(new AgentRequest[0]));
            client.readAnswers(requests);
            try (TestingJob local = new TestingJob(model, new Configuration())) {
                for (AgentRequest request : requests) {
                    TurnStream turn = local.port().submit(request);
                    TestingJob.awaitComplete(turn);
                    assertThat(client.tokens(request))
                            .isEqualTo(TestingJob.tokens(turn))
                            .isEqualTo(expected(request, 30));
                    assertThat(client.written(request)).hasSameSizeAs(client.kept(request));
                    assertThat(client.last(request).getFinished().getReason())
                            .isEqualTo(TestingJob.last(turn).getFinished().getReason());
                }
            }
            assertThat(client.deadLetters()).isEmpty();
        }
    }

    @Test
    void requestsAreAsLargeAsTheLimitAndNoLarger() throws Exception {
        AgentRequest small = request("s", "small", "hello", 10);
        AgentRequest full = ofSize(MAX_REQUEST_BYTES);
        AgentRequest over = ofSize(MAX_REQUEST_BYTES + 1);
        try (TestingKafkaJob job = new TestingKafkaJob(kafka, start(TestingEngine.instance(512)), parallel());
                TestingKafkaClient client = new TestingKafkaClient(kafka)) {
            KafkaRecords.checkSize(full, kafka);
            assertThatThrownBy(() -> KafkaRecords.checkSize(over, kafka))
                    .isInstanceOf(ServingException.class)
                    .hasMessageContaining("the limit is " + MAX_REQUEST_BYTES);
            assertThatThrownBy(() -> client.sendRecord(new ProducerRecord<>(
                            kafka.requestTopic(), new byte[0], new byte[kafka.maxRecordBytes() + 1])))
                    .isInstanceOf(RecordTooLargeException.class)
                    .hasMessageContaining("max.request.size");
            client.send(full, small);
            client.readAnswers(List.of(full, small));
            // It has come through whole: only its prompt is too long for the model.
            assertThat(client.last(full).getFailed().getCode()).isEqualTo("CONTEXT_LENGTH_EXCEEDED");
            assertThat(client.tokens(small)).isEqualTo(expected(small, 10));
            assertThat(job.restarts()).isZero();
        }
    }

    /** A request of so many bytes. */
    private static AgentRequest ofSize(int bytes) {
        AgentRequest request = request("s", "size" + bytes, "x".repeat(bytes - 1000), 10);
        int missing = bytes - request.getSerializedSize();
        AgentRequest grown = request("s", "size" + bytes, "x".repeat(bytes - 1000 + missing), 10);
        assertThat(grown.getSerializedSize()).isEqualTo(bytes);
        return grown;
    }

    private static Configuration parallel() {
        Configuration options = new Configuration();
        options.set(MillraceOptions.SOURCE_PARALLELISM, 2);
        options.set(MillraceOptions.DECODE_PARALLELISM, 2);
        return options;
    }

    private TestingServedModel start(io.millrace.engine.testing.TestingModelInstance instance) {
        engine = TestingEngine.started(instance, 64);
        return new TestingServedModel(name, engine, TestingEngine.MAX_TURN_TOKENS);
    }

    private List<Integer> expected(AgentRequest request, int maxTokens) {
        String text = request.getChat().getMessages(0).getContent();
        return alone.tokens(TestingModelText.encode("user:" + text + "\n"), maxTokens);
    }
}
