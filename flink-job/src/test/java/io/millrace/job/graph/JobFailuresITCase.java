package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitComplete;
import static io.millrace.job.graph.TestingJob.last;
import static io.millrace.job.graph.TestingJob.request;
import static io.millrace.job.graph.TestingJob.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.port.TurnStream;
import io.millrace.engine.Engine;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.operators.testing.TestingModelText;
import io.millrace.operators.testing.TestingServedModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;

/** What goes wrong beside the job: its backend, its engine, and a sink that cannot keep up. */
class JobFailuresITCase {
    private static final int QUEUE_CAPACITY = 64;

    @Test
    void backendThatFailsEndsTheTurnsOfItsBatchAndNoOthers() throws Exception {
        TestingModelInstance instance = TestingEngine.instance(512);
        AtomicBoolean fails = new AtomicBoolean();
        instance.observe(batch -> {
            if (fails.getAndSet(false)) {
                throw new IllegalStateException("a failure on purpose");
            }
        });
        try (TestingEngine.Alone alone = new TestingEngine.Alone();
                Engine engine = TestingEngine.started(instance, QUEUE_CAPACITY);
                TestingJob job = new TestingJob(model("failing-backend", engine), new Configuration())) {
            fails.set(true);
            TurnStream failed = job.port().submit(request("s", "r", "hello", 10));
            awaitComplete(failed);
            assertThat(last(failed).getFailed().getCode()).isEqualTo("INTERNAL");
            assertThat(last(failed).getFailed().getMessage()).contains("a failure on purpose");
            TurnStream good = job.port().submit(request("s", "r2", "hello", 10));
            awaitComplete(good);
            assertThat(tokens(good)).isEqualTo(alone.tokens(TestingModelText.encode("user:hello\n"), 10));
            job.awaitRunning(0);
            engine.checkIntegrity();
        }
    }

    @Test
    void engineThatEndsFailsTheJobWhichGoesOnWithAnother() throws Exception {
        TestingModelInstance instance = TestingEngine.instance(512);
        TestingEngine.StepGate steps = new TestingEngine.StepGate(instance);
        try (TestingEngine.Alone alone = new TestingEngine.Alone();
                Engine first = TestingEngine.started(instance, QUEUE_CAPACITY);
                Engine second = TestingEngine.started(TestingEngine.instance(512), QUEUE_CAPACITY)) {
            TestingServedModel model = model("ending-engine", first);
            try (TestingJob job = new TestingJob(model, new Configuration())) {
                TurnStream turn = job.port().submit(request("s", "r", "hello", 200));
                TestingJob.awaitChunks(turn, 10);
                steps.close();
                model.replaceEngine(second);
                Thread closing = new Thread(first::close, "closes-the-engine");
                closing.start();
                steps.open();
                closing.join();
                awaitComplete(turn);
                assertThat(tokens(turn)).isEqualTo(alone.tokens(TestingModelText.encode("user:hello\n"), 200));
            }
            second.checkIntegrity();
        }
    }

    @Test
    void slowSinkHoldsTheEngineBackAndNoCheckpoint() throws Exception {
        Configuration options = new Configuration();
        options.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofHours(1));
        options.set(MillraceOptions.DECODE_UNACKNOWLEDGED_STEPS, 2);
        try (TestingEngine.Alone alone = new TestingEngine.Alone();
                Engine engine = TestingEngine.started(TestingEngine.instance(2048), QUEUE_CAPACITY);
                TestingJob job = new TestingJob(model("slow-sink", engine), options)) {
            job.slowSinkDown(TimeUnit.MILLISECONDS.toNanos(1));
            List<TurnStream> turns = new ArrayList<>();
            for (int i = 0; i < 32; i++) {
                turns.add(job.port().submit(request("s" + i, "r", "hello", 1000)));
            }
            TestingJob.awaitChunks(turns.get(31), 3);
            // 32,000 tokens take the sink half a minute at least; a checkpoint must not wait for them.
            long startNanos = System.nanoTime();
            job.checkpoint();
            assertThat(Duration.ofNanos(System.nanoTime() - startNanos)).isLessThan(Duration.ofSeconds(15));
            assertThat(engine.stats().outputTokens()).isLessThan(32_000);
            job.slowSinkDown(0);
            for (TurnStream turn : turns) {
                awaitComplete(turn);
                assertThat(tokens(turn)).hasSize(1000);
            }
            assertThat(tokens(turns.get(7))).isEqualTo(alone.tokens(TestingModelText.encode("user:hello\n"), 1000));
            engine.checkIntegrity();
        }
    }

    private static TestingServedModel model(String name, Engine engine) {
        return new TestingServedModel(name, engine, TestingEngine.MAX_TURN_TOKENS);
    }
}
