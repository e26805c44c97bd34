package io.millrace.job.graph;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.port.TurnStream;
import io.millrace.engine.Engine;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.proto.AgentRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Writes a savepoint of the present version into the folder that {@code millrace.savepoint.write} names. */
@EnabledIfSystemProperty(named = "millrace.savepoint.write", matches = ".+")
class WriteSavepointFixture {
    private static final int QUEUE_CAPACITY = 64;
    private static final long TIMEOUT_SECONDS = 60;

    /** No batch of decoding sequences is as large; one that computes the long prompt is. */
    private static final int PROMPT_BATCH_TOKENS = 150;

    @Test
    void writes() throws Exception {
        Path folder = Files.createDirectories(Path.of(System.getProperty("millrace.savepoint.write")));
        List<AgentRequest> all = new ArrayList<>(SavepointFixture.ended());
        all.addAll(SavepointFixture.decoding());
        all.add(SavepointFixture.prefilling());
        all.add(SavepointFixture.later());
        Map<String, List<Integer>> undisturbed;
        try (Engine engine = TestingEngine.started(TestingEngine.instance(512), QUEUE_CAPACITY);
                TestingJob job = new TestingJob(
                        new TestingServedModel("undisturbed", engine, TestingEngine.MAX_TURN_TOKENS),
                        SavepointFixture.options())) {
            undisturbed = SavepointFixture.answers(job, all);
        }
        CountDownLatch promptBegun = new CountDownLatch(1);
        CountDownLatch written = new CountDownLatch(1);
        TestingModelInstance instance = TestingEngine.instance(512);
        instance.observe(batch -> {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(2));
            if (batch.tokenCount >= PROMPT_BATCH_TOKENS) {
                promptBegun.countDown();
                await(written);
            }
        });
        Configuration options = SavepointFixture.options();
        options.set(MillraceOptions.PREFILL_PARALLELISM, 2);
        options.set(MillraceOptions.DECODE_PARALLELISM, 2);
        try (Engine engine = TestingEngine.started(instance, QUEUE_CAPACITY);
                TestingJob job = new TestingJob(
                        new TestingServedModel("stopped", engine, TestingEngine.MAX_TURN_TOKENS), options)) {
            SavepointFixture.answers(job, SavepointFixture.ended());
            List<TurnStream> decoding = new ArrayList<>();
            for (AgentRequest request : SavepointFixture.decoding()) {
                decoding.add(job.port().submit(request));
            }
            for (TurnStream turn : decoding) {
                TestingJob.awaitChunks(turn, SavepointFixture.CHUNKS_BEFORE);
            }
            job.port().submit(SavepointFixture.prefilling());
            await(promptBegun);
            String savepoint = job.savepoint(folder.toUri().toString());
            for (TurnStream turn : decoding) {
                assertThat(turn.isComplete()).as("a turn is too short").isFalse();
            }
            written.countDown();
            try (var files = Files.list(Path.of(java.net.URI.create(savepoint)))) {
                for (Path file : files.toList()) {
                    Files.move(file, folder.resolve(file.getFileName()));
                }
            }
            Files.delete(Path.of(java.net.URI.create(savepoint)));
        }
        SavepointFixture.writeTokens(folder, undisturbed);
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
