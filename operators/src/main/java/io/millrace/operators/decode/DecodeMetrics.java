package io.millrace.operators.decode;

import io.millrace.engine.EngineStats;
import io.millrace.operators.MetricGroups;
import io.millrace.operators.SecondsHistogram;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/** Decode's metrics. */
public final class DecodeMetrics {
    /** Seconds from a request's arrival to its first token. */
    public static final String TIME_TO_FIRST_TOKEN = "time_to_first_token_seconds";
    /** Seconds between two tokens of a turn. */
    public static final String INTER_TOKEN_LATENCY = "inter_token_latency_seconds";
    /** Seconds from a request's arrival to its last token. */
    public static final String END_TO_END_LATENCY = "e2e_request_latency_seconds";
    /** Turns that the engine has. */
    public static final String RUNNING = "num_requests_running";
    /** Turns that wait for room in the engine. */
    public static final String WAITING = "num_requests_waiting";
    /** Share of the engine's KV blocks that sequences use, 0 to 1. */
    public static final String KV_CACHE_USAGE = "kv_cache_usage_ratio";
    /** Sequences of the engine that lost their blocks to others and were computed again. */
    public static final String PREEMPTIONS = "num_preemptions_total";
    /** Prompt tokens of turns that finished. */
    public static final String PROMPT_TOKENS = "prompt_tokens_total";
    /** Tokens generated. */
    public static final String GENERATION_TOKENS = "generation_tokens_total";
    /** Turns that finished, cancelled ones included. */
    public static final String FINISHED = "request_success_total";
    /** Turns that failed or were refused. */
    public static final String FAILED = "request_failure_total";

    private final SecondsHistogram timeToFirstToken = new SecondsHistogram();
    private final SecondsHistogram interTokenLatency = new SecondsHistogram();
    private final SecondsHistogram endToEndLatency = new SecondsHistogram();
    private final Counter promptTokens;
    private final Counter generationTokens;
    private final Counter finished;
    private final Counter failed;

    DecodeMetrics(MetricGroup operatorGroup, IntSupplier active, IntSupplier waiting, Supplier<EngineStats> engine) {
        MetricGroup group = MetricGroups.of(operatorGroup);
        group.histogram(TIME_TO_FIRST_TOKEN, timeToFirstToken);
        group.histogram(INTER_TOKEN_LATENCY, interTokenLatency);
        group.histogram(END_TO_END_LATENCY, endToEndLatency);
        group.gauge(RUNNING, (Gauge<Integer>) () -> active.getAsInt() - waiting.getAsInt());
        group.gauge(WAITING, (Gauge<Integer>) waiting::getAsInt);
        group.gauge(KV_CACHE_USAGE, (Gauge<Double>) () -> engine.get().blocks().usedRatio());
        group.gauge(PREEMPTIONS, (Gauge<Long>) () -> engine.get().preemptions());
        SpeculationMetrics.register(group, () -> engine.get().speculation());
        promptTokens = group.counter(PROMPT_TOKENS);
        generationTokens = group.counter(GENERATION_TOKENS);
        finished = group.counter(FINISHED);
        failed = group.counter(FAILED);
    }

    void firstToken(long nanos) {
        timeToFirstToken.update(nanos);
        generationTokens.inc();
    }

    void nextToken(long nanos) {
        interTokenLatency.update(nanos);
        generationTokens.inc();
    }

    /** A token whose distance to the one before is not known, because that came before a restore. */
    void resumedToken() {
        generationTokens.inc();
    }

    void finished(int newPromptTokens, long endToEndNanos) {
        finished.inc();
        promptTokens.inc(newPromptTokens);
        endToEndLatency.update(endToEndNanos);
    }

    void failed() {
        failed.inc();
    }
}
