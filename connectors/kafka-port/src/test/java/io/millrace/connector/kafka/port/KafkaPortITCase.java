package io.millrace.connector.kafka.port;

import static io.millrace.connector.kafka.port.TestingRequests.assertWhole;
import static io.millrace.connector.kafka.port.TestingRequests.await;
import static io.millrace.connector.kafka.port.TestingRequests.chat;
import static io.millrace.connector.kafka.port.TestingRequests.close;
import static io.millrace.connector.kafka.port.TestingRequests.end;
import static io.millrace.connector.kafka.port.TestingRequests.resend;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.connector.kafka.broker.JavaCommand;
import io.millrace.connector.kafka.broker.KafkaBroker;
import io.millrace.connector.kafka.broker.KafkaBrokerOptions;
import io.millrace.connector.kafka.records.KafkaSettings;
import io.millrace.connector.kafka.records.KafkaTopics;
import io.millrace.connector.port.TurnStream;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.proto.TurnFinished;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

class KafkaPortITCase {
    private static final int PARTITIONS = 3;
    private static final KafkaTopics.Layout LAYOUT = new KafkaTopics.Layout(PARTITIONS, 1, Duration.ofSeconds(30));

    @TempDir
    private static Path folder;

    private static KafkaBroker broker;

    private KafkaSettings settings;
    private TestingKafkaJob job;
    private final List<KafkaPort> ports = new ArrayList<>();

    @BeforeAll
    static void startBroker() throws Exception {
        broker = KafkaBroker.start(KafkaBrokerOptions.of(folder.resolve("kafka"), JavaCommand.ownClassPath()));
    }

    @AfterAll
    static void stopBroker() {
        broker.close();
    }

    @BeforeEach
    void makeTopics(TestInfo test) throws Exception {
        String name = test.getTestMethod().orElseThrow().getName();
        settings = KafkaSettings.of(broker.bootstrapServers())
                .withTopics(name + "-requests", name + "-tokens", name + "-dead");
        KafkaTopics.ensure(settings, LAYOUT);
        job = new TestingKafkaJob(settings);
    }

    @AfterEach
    void closeAll() throws Exception {
        ports.forEach(KafkaPort::close);
        job.close();
    }

    @Test
    void turnsAreRunAndRead() throws Exception {
        KafkaPort port = port();
        List<TurnStream> turns = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            turns.add(port.submit(chat("s" + i, "r", 5 + i)));
        }
        assertThat(port.submit(chat("s0", "r", 5))).isSameAs(turns.get(0));
        assertThat(port.find("s0", "r")).containsSame(turns.get(0));
        for (int i = 0; i < 12; i++) {
            assertWhole(turns.get(i), 5 + i);
        }
        await("no open turns", () -> port.openTurns() == 0);
        assertThat(end(port.submit(close("s0", "c"))).getFinished().getReason()).isEqualTo(TurnFinished.Reason.CLOSED);
        assertThat(job.turnCount()).isEqualTo(13);
    }

    @Test
    void anotherPortJoinsARunningTurnAndGetsAllOfIt() throws Exception {
        KafkaPort first = port();
        KafkaPort second = port();
        job.holdAt(7);
        TurnStream begun = first.submit(chat("s", "r", 20));
        await("seven tokens", () -> begun.chunkCount() == 7);
        TurnStream repeated = second.submit(chat("s", "r", 20));
        TurnStream resent = port().submit(resend("s", "r"));
        await("seven tokens again", () -> repeated.chunkCount() == 7 && resent.chunkCount() == 7);
        first.close();
        assertThat(end(begun).getFailed().getCode()).isEqualTo("UNAVAILABLE");
        job.goOn();
        assertWhole(repeated, 20);
        assertWhole(resent, 20);
        assertThat(job.turnCount()).isEqualTo(1);
        assertWhole(port().submit(resend("s", "r")), 20);
    }

    @Test
    void turnThatNobodyKnowsIsNotFoundAndMayBeginLater() throws Exception {
        KafkaPort port = port();
        assertThat(end(port.submit(resend("s", "r"))).getFailed().getCode()).isEqualTo("TURN_NOT_FOUND");
        assertThat(port.find("s", "r")).isEmpty();
        assertWhole(port.submit(chat("s", "r", 5)), 5);
        // Whoever asks by name first does not stand in the way of the request itself.
        TurnStream asked = port.submit(resend("s", "r2"));
        assertThat(port.submit(chat("s", "r2", 6))).isSameAs(asked);
        assertWhole(asked, 6);
    }

    @Test
    void anyPortCancels() throws Exception {
        KafkaPort first = port();
        job.holdAt(3);
        TurnStream turn = first.submit(chat("s", "r", 20));
        await("three tokens", () -> turn.chunkCount() == 3);
        assertThat(port().cancel("s", "r", "test").toCompletableFuture().get(30, TimeUnit.SECONDS))
                .isTrue();
        assertThat(end(turn).getFinished().getReason()).isEqualTo(TurnFinished.Reason.CANCELLED);
        assertThat(turn.chunkCount()).isEqualTo(4);
    }

    @Test
    void outputThatTheJobHasDroppedIsReadFromTheTopic() throws Exception {
        assertWhole(port().submit(chat("s", "r", 30)), 30);
        job.dropOutputs();
        KafkaPort later = port();
        // More than one refusal lies in the topic by then.
        assertWhole(later.submit(resend("s", "r")), 30);
        assertWhole(port().submit(chat("s", "r", 30)), 30);
        try (Admin admin = Admin.create(settings.adminProperties("test"))) {
            Map<TopicPartition, RecordsToDelete> all = new HashMap<>();
            for (int i = 0; i < PARTITIONS; i++) {
                all.put(new TopicPartition(settings.tokenTopic(), i), RecordsToDelete.beforeOffset(-1));
            }
            admin.deleteRecords(all).all().get(30, TimeUnit.SECONDS);
        }
        assertThat(end(port().submit(resend("s", "r"))).getFailed().getCode()).isEqualTo("OUTPUT_NOT_HELD");
    }

    @Test
    void limitsAreRefusals() throws Exception {
        KafkaPort port = port(KafkaPortOptions.DEFAULT.withOpenTurnsMax(2));
        job.holdAt(1);
        TurnStream first = port.submit(chat("s", "1", 3));
        TurnStream second = port.submit(chat("s", "2", 3));
        assertRefused(ErrorCode.QUEUE_FULL, () -> port.submit(chat("s", "3", 3)));
        assertThat(port.submit(chat("s", "2", 3))).isSameAs(second);
        job.goOn();
        assertWhole(first, 3);
        assertWhole(second, 3);
        assertWhole(port.submit(chat("s", "3", 3)), 3);
        assertRefused(ErrorCode.INVALID_REQUEST, () -> port.submit(chat("", "r", 3)));
        assertRefused(ErrorCode.INVALID_REQUEST, () -> port.submit(chat("s".repeat(9 << 20), "r", 3)));
        port.close();
        assertRefused(ErrorCode.UNAVAILABLE, () -> port.submit(chat("s", "4", 3)));
    }

    @Test
    void burstLosesNothingThatWasAccepted() throws Exception {
        KafkaPort port = port(KafkaPortOptions.DEFAULT.withOpenTurnsMax(3000));
        int threads = Thread.activeCount();
        List<TurnStream> accepted = new ArrayList<>();
        int refused = 0;
        for (int i = 0; i < 5000; i++) {
            try {
                accepted.add(port.submit(chat("s" + i % 64, "r" + i, 2)));
            } catch (ServingException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.QUEUE_FULL);
                refused++;
            }
        }
        assertThat(accepted.size()).isGreaterThanOrEqualTo(3000).isEqualTo(5000 - refused);
        for (TurnStream turn : accepted) {
            assertWhole(turn, 2);
        }
        assertThat(job.turnCount()).isEqualTo(accepted.size());
        assertThat(Thread.activeCount()).isLessThanOrEqualTo(threads + 1);
        await("no open turns", () -> port.openTurns() == 0);
        System.out.println("burst: " + accepted.size() + " accepted, " + refused + " refused");
    }

    @Test
    void topicsThatAreMadeAgainCostNoAcceptedTurn() throws Exception {
        KafkaPort port = port();
        job.holdAt(4);
        List<TurnStream> turns = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            turns.add(port.submit(chat("s" + i, "r", 12)));
        }
        await("four tokens each", () -> turns.stream().allMatch(turn -> turn.chunkCount() == 4));
        remake(settings.tokenTopic());
        job.goOn();
        for (TurnStream turn : turns) {
            assertWhole(turn, 12);
        }
        assertWhole(port.submit(chat("s1", "later", 5)), 5);
    }

    @Test
    void requestsThatTheirTopicLostAreSentAgain() throws Exception {
        KafkaPort port = port();
        job.close();
        TurnStream turn = port.submit(chat("s", "r", 6));
        await("accepted", () -> port.pendingRequestBytes() == 0);
        remake(settings.requestTopic());
        job = new TestingKafkaJob(settings);
        assertWhole(turn, 6);
    }

    @Test
    void morePartitionsAreReadToo() throws Exception {
        KafkaPort port = port();
        job.holdAt(2);
        List<TurnStream> turns = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            turns.add(port.submit(chat("s" + i, "r", 10)));
        }
        await("two tokens each", () -> turns.stream().allMatch(turn -> turn.chunkCount() == 2));
        try (Admin admin = Admin.create(settings.adminProperties("test"))) {
            admin.createPartitions(Map.of(settings.tokenTopic(), NewPartitions.increaseTo(2 * PARTITIONS)))
                    .all()
                    .get(30, TimeUnit.SECONDS);
        }
        await("more partitions", () -> port.partitionCount() == 2 * PARTITIONS);
        job.goOn();
        for (TurnStream turn : turns) {
            assertWhole(turn, 10);
        }
        for (int i = 0; i < 8; i++) {
            assertWhole(port.submit(chat("s" + i, "r2", 4)), 4);
        }
    }

    @Test
    void brokerThatIsKilledAndStartedAgainLosesNothing() throws Exception {
        KafkaPort port = port(KafkaPortOptions.DEFAULT.withTimes(Duration.ofMinutes(2), Duration.ofSeconds(3)));
        KafkaPort impatient = port(KafkaPortOptions.DEFAULT.withTimes(Duration.ofSeconds(1), Duration.ofSeconds(3)));
        job.holdAt(3);
        List<TurnStream> turns = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            turns.add(port.submit(chat("s" + i, "r", 10)));
        }
        await("three tokens each", () -> turns.stream().allMatch(turn -> turn.chunkCount() == 3));
        broker.kill();
        // A short outage is waited for.
        TurnStream meanwhile = port.submit(chat("s1", "meanwhile", 5));
        TurnStream given = impatient.submit(chat("s3", "given up", 5));
        assertThat(end(given).getFailed().getCode()).isEqualTo("UNAVAILABLE");
        assertThat(impatient.find("s3", "given up")).isEmpty();
        await("the outage is noticed", () -> !port.isReady());
        assertThat(port.problem()).contains("Kafka does not answer");
        startBroker();
        await("the outage is over", port::isReady);
        job.goOn();
        for (TurnStream turn : turns) {
            assertWhole(turn, 10);
        }
        assertWhole(meanwhile, 5);
        await("the outage is over there too", impatient::isReady);
        assertWhole(impatient.submit(chat("s3", "given up", 5)), 5);
        assertWhole(port.submit(chat("s2", "later", 5)), 5);
    }

    @Test
    void withoutKafkaRequestsAreRefusedInTime() throws Exception {
        KafkaSettings nowhere = KafkaSettings.of("127.0.0.1:1");
        try (KafkaPort port = KafkaPort.open(nowhere, KafkaPortOptions.DEFAULT)) {
            assertThat(port.isReady()).isFalse();
            assertRefused(ErrorCode.UNAVAILABLE, () -> port.submit(chat("s", "r", 3)));
        }
        assertRefused(
                ErrorCode.INVALID_REQUEST,
                () -> KafkaPort.open(KafkaSettings.of("no such host:1"), KafkaPortOptions.DEFAULT));
        KafkaSettings noTopics = settings.withTopics("none-requests", "none-tokens", "none-dead");
        try (KafkaPort port = KafkaPort.open(noTopics, KafkaPortOptions.DEFAULT)) {
            await("the topics are missed", () -> port.problem().contains("no topics none-requests"));
            assertRefused(ErrorCode.UNAVAILABLE, () -> port.submit(chat("s", "r", 3)));
            KafkaTopics.ensure(noTopics, LAYOUT);
            await("the topics are found", port::isReady);
        }
    }

    /** Deletes a topic and makes it again, empty. */
    private void remake(String topic) throws Exception {
        try (Admin admin = Admin.create(settings.adminProperties("test"))) {
            admin.deleteTopics(List.of(topic)).all().get(30, TimeUnit.SECONDS);
            await("the topic is gone", () -> {
                try {
                    return !admin.listTopics().names().get(30, TimeUnit.SECONDS).contains(topic);
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
        }
        KafkaTopics.ensure(settings, LAYOUT);
    }

    private KafkaPort port() throws Exception {
        return port(KafkaPortOptions.DEFAULT.withTimes(Duration.ofSeconds(30), Duration.ofSeconds(3)));
    }

    private KafkaPort port(KafkaPortOptions options) throws Exception {
        KafkaPort port = KafkaPort.open(settings, options);
        ports.add(port);
        assertThat(port.awaitReady(Duration.ofSeconds(30))).as(port.problem()).isTrue();
        return port;
    }

    private static void assertRefused(ErrorCode code, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(code));
    }
}
