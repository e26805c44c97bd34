package io.millrace.bench.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.InProcessFlink;
import io.millrace.bench.MetricsProbe;
import io.millrace.connector.local.LocalPort;
import io.millrace.connector.local.LocalSink;
import io.millrace.connector.local.LocalSource;
import io.millrace.connector.port.TurnStream;
import io.millrace.job.graph.JobConfiguration;
import io.millrace.job.graph.MillraceJob;
import io.millrace.job.graph.MillraceOptions;
import io.millrace.operators.ServedModel;
import io.millrace.operators.handover.HandoverMetrics;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.SamplingParams;
import io.millrace.proto.TokenChunk;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;

/** A disaggregated job on two TaskManagers of this process, between which records go over TCP, and the port to it. */
final class HandoverJob implements AutoCloseable {
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final long LIMIT_SECONDS = 300;

    private final LocalPort port;
    private final InProcessFlink flink;
    private final MetricsProbe probe;
    private int requests;

    /** Starts a job and waits until it runs. */
    HandoverJob(Configuration options, ServedModel model) throws Exception {
        String name = "bench-handover-" + COUNT.incrementAndGet();
        Configuration configuration = new Configuration(options);
        probe = MetricsProbe.install(configuration, name);
        port = LocalPort.open(name, MillraceJob.portOptions(configuration));
        try {
            flink = InProcessFlink.start(
                    configuration,
                    (environment, all) ->
                            MillraceJob.define(environment, all, model, new LocalSource(name), new LocalSink(name)),
                    2,
                    null);
        } catch (Exception e) {
            port.close();
            throw e;
        }
        try {
            flink.await(this::isReady);
        } catch (Exception e) {
            close();
            throw e;
        }
    }

    /** Options of such a job: no checkpoints, and blocks go no further than HOST. */
    static Configuration options(MemorySize managedMemory) {
        Configuration configuration = JobConfiguration.loadLocal();
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofDays(1));
        // Of both TaskManagers.
        configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, managedMemory);
        configuration.set(MillraceOptions.DISAGGREGATION_ENABLED, true);
        configuration.set(MillraceOptions.STATE_TIER_ENABLED, false);
        return configuration;
    }

    private boolean isReady() {
        return port.isReady()
                && probe.has("Prefill", HandoverMetrics.SENT_BLOCKS)
                && probe.has("Decode", HandoverMetrics.RECEIVED_BLOCKS);
    }

    /** A number of an operator. */
    double value(String operator, String metric) {
        return probe.value(operator, metric);
    }

    /** Has a prompt answered with a token, in a session of its own. */
    TurnStream ask(String prompt) {
        String id = "bench-" + requests++;
        return port.submit(AgentRequest.newBuilder()
                .setSessionId(id)
                .setRequestId(id)
                .setArrivalMs(System.currentTimeMillis())
                .setChat(ChatRequest.newBuilder()
                        .addMessages(ChatMessage.newBuilder().setRole("user").setContent(prompt))
                        .setSampling(SamplingParams.newBuilder().setMaxTokens(1).setIgnoreEos(true)))
                .build());
    }

    /** Waits until a turn has ended well. */
    static void await(TurnStream turn) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!turn.isComplete()) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("a turn did not end within " + LIMIT_SECONDS + " s");
            }
            Thread.sleep(1);
        }
        TokenChunk last = requireNonNull(turn.chunk(turn.chunkCount() - 1), "the last chunk");
        if (last.hasFailed()) {
            throw new IllegalStateException("a turn failed: " + last.getFailed());
        }
    }

    @Override
    public void close() {
        port.close();
        flink.close();
    }
}
