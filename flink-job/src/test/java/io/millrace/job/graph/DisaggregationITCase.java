package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitChunks;
import static io.millrace.job.graph.TestingJob.awaitComplete;
import static io.millrace.job.graph.TestingJob.last;
import static io.millrace.job.graph.TestingJob.request;
import static io.millrace.job.graph.TestingJob.tokens;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.port.TurnStream;
import io.millrace.engine.Engine;
import io.millrace.engine.testing.TestingModelInstance;
import io.millrace.operators.EngineRole;
import io.millrace.operators.handover.HandoverMetrics;
import io.millrace.operators.testing.TestingModelText;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.operators.tiers.LoadPolicy;
import io.millrace.proto.TurnFinished;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.testutils.InMemoryReporter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/**
 * Prefill and Decode on two TaskManagers with an engine each, over a model that notices every mistake of paging: its
 * tokens are those of a model that does nothing else.
 */
class DisaggregationITCase {
    private static final int BLOCK = TestingEngine.BLOCK_SIZE_TOKENS;

    private final TestingEngine.Alone alone = new TestingEngine.Alone();
    private final TestingMetrics metrics = new TestingMetrics(InMemoryReporter.create());
    private final Configuration options = new Configuration();
    private final TestingModelInstance prefillInstance = TestingEngine.instance(512);
    private TestingEngine.StepGate gate;
    private Engine prefill;
    private Engine decode;
    private TestingServedModel model;

    @BeforeEach
    void open(TestInfo test) {
        options.set(MillraceOptions.DISAGGREGATION_ENABLED, true);
        options.set(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS, 2 * BLOCK);
        options.set(MillraceOptions.TIERS_LOAD, LoadPolicy.ALWAYS);
        options.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(16));
        metrics.reporter().addToConfiguration(options);
        prefill = TestingEngine.started(prefillInstance, 64);
        decode = TestingEngine.started(TestingEngine.instance(512), 64);
        String name = test.getTestMethod().orElseThrow().getName();
        model = new TestingServedModel(name, decode, TestingEngine.MAX_TURN_TOKENS)
                .withRole(EngineRole.PREFILL, prefill)
                .withRole(EngineRole.DECODE, decode);
    }

    @AfterEach
    void enginesAreLeftClean() throws Exception {
        alone.close();
        if (gate != null) {
            gate.open();
        }
        for (Engine engine : List.of(prefill, decode)) {
            TestingJob.await(
                    "no sequence is left",
                    () -> engine.stats().runningSequences() + engine.stats().waitingSequences() == 0);
            engine.checkIntegrity();
            assertThat(engine.stats().blocks().usedBlocks()).isZero();
            engine.close();
        }
    }

    @Test
    void whatPrefillComputedIsNotComputedAgain() throws Exception {
        try (TestingJob job = new TestingJob(model, options)) {
            String prompt = text(1, 60 * BLOCK);
            TurnStream turn = job.port().submit(request("s", "r", prompt, 20));
            awaitComplete(turn);
            check(turn, prompt, 20);
            int promptTokens = last(turn).getFinished().getPromptTokens();
            int handedTokens = (promptTokens - 1) / BLOCK * BLOCK;
            assertThat(prefill.stats().promptTokens()).isEqualTo(handedTokens);
            assertThat(decode.stats().loadedTokens()).isEqualTo(handedTokens);
            assertThat(decode.stats().promptTokens()).isEqualTo(promptTokens - handedTokens);
            long blocks = handedTokens / BLOCK;
            assertThat(metrics.gauge("Prefill", HandoverMetrics.SENT_BLOCKS)).isEqualTo(blocks);
            assertThat(metrics.gauge("Decode", HandoverMetrics.RECEIVED_BLOCKS)).isEqualTo(blocks);
            assertThat(metrics.gauge("Decode", HandoverMetrics.INSERTED_BLOCKS)).isEqualTo(blocks);
            assertThat(metrics.gauge("Decode", HandoverMetrics.RECEIVED_BYTES))
                    .isEqualTo(metrics.gauge("Prefill", HandoverMetrics.SENT_BYTES));
            assertThat(metrics.gauge("Decode", HandoverMetrics.DAMAGED_BLOCKS)).isEqualTo(0L);
        }
    }

    /** A second session with the same prefix gets what it has beyond that, and a short increment passes. */
    @Test
    void onlyWhatDecodeLacksIsSent() throws Exception {
        try (TestingJob job = new TestingJob(model, options)) {
            String prefix = text(2, 40 * BLOCK);
            awaitComplete(job.port().submit(request("s", "r", prefix + text(3, 10 * BLOCK), 4)));
            long sent = (long) metrics.gauge("Prefill", HandoverMetrics.SENT_BLOCKS);
            String other = prefix + text(4, 20 * BLOCK);
            TurnStream turn = job.port().submit(request("t", "r", other, 4));
            awaitComplete(turn);
            check(turn, other, 4);
            assertThat((long) metrics.gauge("Prefill", HandoverMetrics.SENT_BLOCKS) - sent)
                    .isEqualTo(20);
            assertThat(metrics.gauge("Prefill", HandoverMetrics.SKIPPED_BLOCKS)).isEqualTo(40L);
            long computed = prefill.stats().promptTokens();
            TurnStream little = job.port().submit(request("u", "r", prefix + text(5, BLOCK), 4));
            awaitComplete(little);
            check(little, prefix + text(5, BLOCK), 4);
            assertThat(prefill.stats().promptTokens()).isEqualTo(computed);
        }
    }

    /** Blocks in channels, failures at random places, and another parallelism on each side. */
    @Test
    void failuresCostTimeAndNeverTokens() throws Exception {
        options.set(MillraceOptions.PREFILL_PARALLELISM, 2);
        options.set(MillraceOptions.DECODE_PARALLELISM, 3);
        try (TestingJob job = new TestingJob(model, options)) {
            SplittableRandom random = new SplittableRandom(7);
            List<TurnStream> turns = new ArrayList<>();
            List<String> prompts = new ArrayList<>();
            for (int round = 1; round <= 3; round++) {
                for (int i = 0; i < 12; i++) {
                    String prompt = text(round * 100 + i % 5, random.nextInt(8, 60) * BLOCK) + i;
                    prompts.add(prompt);
                    turns.add(job.port().submit(request("s" + round + "-" + i, "r", prompt, 24)));
                }
                job.failAfterChunks(random.nextInt(1, 200), () -> {});
                job.awaitRunning(round);
            }
            for (int i = 0; i < turns.size(); i++) {
                awaitComplete(turns.get(i));
                check(turns.get(i), prompts.get(i), 24);
            }
        }
    }

    @Test
    void turnIsCancelledAndASessionClosedWhileTheirBlocksAreOnTheirWay() throws Exception {
        gate = new TestingEngine.StepGate(prefillInstance);
        try (TestingJob job = new TestingJob(model, options)) {
            gate.close();
            TurnStream cancelled = job.port().submit(request("s", "r", text(6, 60 * BLOCK), 20));
            TurnStream closed = job.port().submit(request("t", "r", text(7, 60 * BLOCK), 20));
            gate.awaitStep();
            job.port().cancel("s", "r", "test");
            job.port().submit(TestingJob.close("t", "c"));
            awaitComplete(cancelled);
            awaitComplete(closed);
            assertThat(last(cancelled).getFinished().getReason()).isEqualTo(TurnFinished.Reason.CANCELLED);
            assertThat(last(closed).getFinished().getReason()).isEqualTo(TurnFinished.Reason.CANCELLED);
            gate.open();
            String prompt = text(6, 60 * BLOCK);
            TurnStream again = job.port().submit(request("u", "r", prompt, 20));
            awaitComplete(again);
            check(again, prompt, 20);
        }
    }

    /** Decode takes little at a time: Prefill holds back, checkpoints go on, and all is right in the end. */
    @Test
    void slowDecodeHoldsPrefillBack() throws Exception {
        options.set(MillraceOptions.DECODE_PENDING_TURNS, 1);
        options.set(MillraceOptions.HANDOVER_COPY_MEMORY, MemorySize.ZERO);
        try (TestingJob job = new TestingJob(model, options)) {
            job.slowSinkDown(2_000_000);
            List<TurnStream> turns = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                turns.add(job.port().submit(request("s" + i, "r", text(10 + i, 40 * BLOCK), 8)));
            }
            awaitChunks(turns.get(0), 2);
            job.checkpoint();
            for (int i = 0; i < turns.size(); i++) {
                awaitComplete(turns.get(i));
                check(turns.get(i), text(10 + i, 40 * BLOCK), 8);
            }
        }
    }

    /** Without a HOST tier nothing is taken, and Decode computes everything. */
    @Test
    void withoutHostDecodeComputes() throws Exception {
        options.set(MillraceOptions.HOST_TIER_ENABLED, false);
        try (TestingJob job = new TestingJob(model, options)) {
            String prompt = text(8, 30 * BLOCK);
            TurnStream turn = job.port().submit(request("s", "r", prompt, 8));
            awaitComplete(turn);
            check(turn, prompt, 8);
            assertThat((long) metrics.gauge("Decode", HandoverMetrics.REFUSED_BLOCKS))
                    .isPositive();
        }
    }

    private void check(TurnStream turn, String prompt, int maxTokens) {
        assertThat(tokens(turn)).isEqualTo(alone.tokens(TestingModelText.encode("user:" + prompt + "\n"), maxTokens));
    }

    private static String text(long seed, int chars) {
        SplittableRandom random = new SplittableRandom(seed);
        StringBuilder text = new StringBuilder(chars);
        for (int i = 0; i < chars; i++) {
            text.append((char) ('a' + random.nextInt(26)));
        }
        return text.toString();
    }
}
