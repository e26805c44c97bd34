package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.connector.kafka.KafkaChunkOptions;
import io.millrace.connector.kafka.KafkaRequestMetrics;
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
import org.apache.flink.runtime.testutils.InMemoryReporter;
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

    @Test
    void recordsThatAreNoRequestsAreDeadLetters() throws Exception {
        InMemoryReporter reporter = InMemoryReporter.createWithRetainedMetrics();
        PoisonRecords poison = new PoisonRecords(kafka.requestTopic(), 42);
        List<AgentRequest> good = new ArrayList<>();
        try (TestingKafkaJob job = new TestingKafkaJob(
                        kafka, start(TestingEngine.instance(512)), reporter.addToConfiguration(new Configuration()));
                TestingKafkaClient client = new TestingKafkaClient(kafka)) {
            for (int i = 0; i < 100; i++) {
                for (int j = 0; j < 10; j++) {
                    client.sendLater(poison.next());
                }
                good.add(request("s" + i % 13, "r" + i, "hello " + i, 5));
                client.sendLater(KafkaRecords.encode(good.get(i), kafka.requestTopic()));
            }
            client.readAnswers(good);
            for (AgentRequest request : good) {
                assertThat(client.tokens(request)).isEqualTo(expected(request, 5));
            }
            client.readUntil(
                    "all dead letters are there", () -> client.deadLetters().size() >= 1000);
            client.readRest(Duration.ofMillis(300));
            poison.assertAreIn(client.deadLetters());
            TestingMetrics metrics = new TestingMetrics(reporter);
            assertThat(metrics.count("requests", KafkaRequestMetrics.DEAD_LETTERS))
                    .isEqualTo(1000);
            assertThat(metrics.count("requests", KafkaRequestMetrics.REQUESTS)).isEqualTo(100);
            assertThat(job.restarts()).isZero();
        }
    }

    @Test
    void topicsThatAreMadeAgainAreReadFromTheirStart() throws Exception {
        TestingServedModel model = start(TestingEngine.instance(512));
        String savepoint;
        try (TestingKafkaClient client = new TestingKafkaClient(kafka)) {
            try (TestingKafkaJob job = new TestingKafkaJob(kafka, model, parallel())) {
                sendAndCheck(client, requests("before", 12, 10));
                job.checkpoint();
                KafkaTopics.delete(kafka, List.of(kafka.requestTopic()), Duration.ofSeconds(30));
                KafkaTopics.ensure(kafka, LAYOUT);
                sendAndCheck(client, requests("fewer", 3, 5));
                job.awaitRunning(1);
                KafkaTopics.delete(kafka, List.of(kafka.tokenTopic()), Duration.ofSeconds(30));
                KafkaTopics.ensure(kafka, LAYOUT);
                // Not the client's old consumer: behind its position the new topic may have other records by now.
                try (TestingKafkaClient anew = new TestingKafkaClient(kafka)) {
                    sendAndCheck(anew, requests("last", 30, 5));
                }
                savepoint = job.stopWithSavepoint(directory.toUri().toString());
            }
            // Behind the offsets of the savepoint the new topic has other records, and before them too.
            KafkaTopics.delete(kafka, List.of(kafka.requestTopic()), Duration.ofSeconds(30));
            KafkaTopics.ensure(kafka, LAYOUT);
            List<AgentRequest> after = requests("after", 100, 5);
            client.send(after.toArray(new AgentRequest[0]));
            try (TestingKafkaJob job = new TestingKafkaJob(kafka, model, parallel(), savepoint)) {
                client.readAnswers(after);
                assertThat(job.restarts()).isZero();
            }
        }
    }

    private void sendAndCheck(TestingKafkaClient client, List<AgentRequest> requests) throws Exception {
        client.send(requests.toArray(new AgentRequest[0]));
        client.readAnswers(requests);
        for (AgentRequest request : requests) {
            int tokens = request.getChat().getSampling().getMaxTokens();
            assertThat(client.tokens(request)).isEqualTo(expected(request, tokens));
        }
    }

    @Test
    void failedAndResumedJobLosesAndDoublesNothing() throws Exception {
        TestingServedModel model = start(TestingEngine.slowInstance(512, 2000));
        List<AgentRequest> requests = requests("s", 12, 150);
        String savepoint;
        try (TestingKafkaClient client = new TestingKafkaClient(kafka)) {
            try (TestingKafkaJob job = new TestingKafkaJob(kafka, model, parallel())) {
                client.send(requests.toArray(new AgentRequest[0]));
                client.readUntil(
                        "half of the first turn",
                        () -> client.written(requests.get(0)).size() > 30);
                job.replaceTaskManager();
                job.awaitRunning(1);
                client.readUntil(
                        "more of it", () -> client.kept(requests.get(0)).size() > 60);
                savepoint = job.stopWithSavepoint(directory.toUri().toString());
            }
            AgentRequest meanwhile = request("s0", "meanwhile", "hello", 20);
            client.send(meanwhile);
            Configuration wider = parallel();
            wider.set(MillraceOptions.SOURCE_PARALLELISM, 1);
            wider.set(MillraceOptions.DECODE_PARALLELISM, 3);
            try (TestingKafkaJob job = new TestingKafkaJob(kafka, model, wider, savepoint)) {
                requests.add(meanwhile);
                client.readAnswers(requests);
            }
            for (AgentRequest request : requests) {
                int tokens = request.equals(meanwhile) ? 20 : 150;
                assertThat(client.tokens(request)).isEqualTo(expected(request, tokens));
            }
        }
    }

    @Test
    void exactlyOnceWritesEachChunkOnce() throws Exception {
        Configuration options = parallel();
        options.set(KafkaOptions.DELIVERY, KafkaChunkOptions.Delivery.EXACTLY_ONCE);
        List<AgentRequest> requests = requests("s", 8, 200);
        try (TestingKafkaClient client = new TestingKafkaClient(kafka);
                TestingKafkaJob job =
                        new TestingKafkaJob(kafka, start(TestingEngine.slowInstance(512, 2000)), options)) {
            client.send(requests.toArray(new AgentRequest[0]));
            client.readUntil(
                    "a part of the first turn",
                    () -> client.written(requests.get(0)).size() > 20);
            job.replaceTaskManager();
            job.awaitRunning(1);
            client.readAnswers(requests);
            client.readRest(Duration.ofMillis(500));
            for (AgentRequest request : requests) {
                assertThat(client.tokens(request)).isEqualTo(expected(request, 200));
                assertThat(client.written(request)).isEqualTo(client.kept(request));
            }
        }
    }

    @Test
    void killedBrokerLosesNothing() throws Exception {
        List<AgentRequest> requests = requests("s", 12, 150);
        try (TestingKafkaJob job =
                        new TestingKafkaJob(kafka, start(TestingEngine.slowInstance(512, 2000)), parallel());
                TestingKafkaClient client = new TestingKafkaClient(kafka)) {
            client.send(requests.toArray(new AgentRequest[0]));
            client.readUntil(
                    "a part of the first turn",
                    () -> client.written(requests.get(0)).size() > 30);
            broker.kill();
            startBroker();
            List<AgentRequest> later = requests("later", 5, 10);
            client.send(later.toArray(new AgentRequest[0]));
            requests.forEach(request -> client.readAnswers(List.of(request)));
            client.readAnswers(later);
            for (AgentRequest request : requests) {
                assertThat(client.tokens(request)).isEqualTo(expected(request, 150));
            }
        }
    }

    private static List<AgentRequest> requests(String prefix, int count, int tokens) {
        List<AgentRequest> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            requests.add(request(prefix + i, "r", prefix + " ".repeat(i % 10), tokens));
        }
        return requests;
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
