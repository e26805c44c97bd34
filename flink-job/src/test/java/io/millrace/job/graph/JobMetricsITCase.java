package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitComplete;
import static io.millrace.job.graph.TestingJob.request;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.engine.Engine;
import io.millrace.operators.decode.DecodeMetrics;
import io.millrace.operators.decode.SpeculationMetrics;
import io.millrace.operators.prefill.PrefillMetrics;
import io.millrace.operators.router.RouterMetrics;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.operators.tiers.TierMetrics;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.testutils.InMemoryReporter;
import org.junit.jupiter.api.Test;

/** Reads the metrics of a running job from Flink, as a reporter does. */
class JobMetricsITCase {
    private static final Path PAGE = Path.of("..", "docs", "metrics.md");

    @Test
    void everyOperatorReportsWhatItDid() throws Exception {
        InMemoryReporter reporter = InMemoryReporter.createWithRetainedMetrics();
        Configuration options = reporter.addToConfiguration(new Configuration());
        options.set(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS, 32);
        options.set(MillraceOptions.LOCAL_RETAINED_TURNS, 1);
        try (Engine engine = TestingEngine.started(TestingEngine.instance(512), 64);
                TestingJob job = new TestingJob(
                        new TestingServedModel("metrics", engine, TestingEngine.MAX_TURN_TOKENS), options)) {
            awaitComplete(job.port().submit(request("s", "1", "x".repeat(94), 10)));
            awaitComplete(job.port().submit(request("s", "2", "x".repeat(94), 10)));
            awaitComplete(job.port().submit(request("s", "long", "x".repeat(3000), 10)));
            TestingJob.await("the port forgets", () -> job.port().find("s", "2").isEmpty());
            awaitComplete(job.port().submit(request("s", "2", "x".repeat(94), 10)));

            TestingMetrics metrics = new TestingMetrics(reporter);
            assertThat(metrics.count("SessionRouter", RouterMetrics.ADMITTED)).isEqualTo(2);
            assertThat(metrics.count("SessionRouter", RouterMetrics.DEDUPLICATED))
                    .isEqualTo(1);
            assertThat(metrics.count("SessionRouter", RouterMetrics.REFUSED)).isEqualTo(1);
            assertThat(metrics.count("SessionRouter", RouterMetrics.CANCELLED)).isZero();
            assertThat(metrics.count("SessionRouter", RouterMetrics.CLOSED)).isZero();
            assertThat(metrics.count("SessionRouter", RouterMetrics.SESSION_PREFIX_TOKENS))
                    .isEqualTo(100);
            assertThat(metrics.histogram("SessionRouter", RouterMetrics.PROMPT_SECONDS)
                            .getCount())
                    .isEqualTo(2);

            assertThat(metrics.count("Prefill", PrefillMetrics.PREFIX_QUERIES)).isEqualTo(200);
            assertThat(metrics.count("Prefill", PrefillMetrics.PREFIX_HITS)).isEqualTo(96);
            assertThat(metrics.count("Prefill", PrefillMetrics.COMPUTED_TOKENS)).isEqualTo(96);
            assertThat(metrics.count("Prefill", PrefillMetrics.PASSED)).isEqualTo(1);
            assertThat(metrics.count("Prefill", PrefillMetrics.LEFT_TOKENS)).isZero();
            assertThat(metrics.gauge("Prefill", PrefillMetrics.WAITING)).isEqualTo(0);

            assertThat(metrics.count("Decode", DecodeMetrics.GENERATION_TOKENS)).isEqualTo(20);
            assertThat(metrics.count("Decode", DecodeMetrics.PROMPT_TOKENS)).isEqualTo(200);
            assertThat(metrics.count("Decode", DecodeMetrics.FINISHED)).isEqualTo(2);
            assertThat(metrics.count("Decode", DecodeMetrics.FAILED)).isEqualTo(1);
            assertThat(metrics.histogram("Decode", DecodeMetrics.TIME_TO_FIRST_TOKEN)
                            .getCount())
                    .isEqualTo(2);
            assertThat(metrics.histogram("Decode", DecodeMetrics.INTER_TOKEN_LATENCY)
                            .getCount())
                    .isEqualTo(18);
            assertThat(metrics.histogram("Decode", DecodeMetrics.END_TO_END_LATENCY)
                            .getCount())
                    .isEqualTo(2);
            assertThat(metrics.gauge("Decode", DecodeMetrics.RUNNING)).isEqualTo(0);
            assertThat(metrics.gauge("Decode", DecodeMetrics.WAITING)).isEqualTo(0);
            assertThat(metrics.gauge("Decode", DecodeMetrics.KV_CACHE_USAGE)).isEqualTo(0.0);
            assertThat(metrics.gauge("Decode", DecodeMetrics.PREEMPTIONS)).isEqualTo(0L);
        }
    }

    @Test
    void everyMetricIsOnThePage() throws Exception {
        for (Class<?> metrics : List.of(
                RouterMetrics.class,
                PrefillMetrics.class,
                DecodeMetrics.class,
                SpeculationMetrics.class,
                TierMetrics.class)) {
            for (Field field : metrics.getFields()) {
                if (Modifier.isStatic(field.getModifiers()) && field.getType() == String.class) {
                    assertThat(PAGE).content().contains("`" + field.get(null) + "`");
                }
            }
        }
    }
}
