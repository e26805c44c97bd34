package io.millrace.bench.speculation;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.BenchReport;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import io.millrace.engine.Constraint;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * What schemas and their masks take: each schema is compiled, and then outputs that it describes are made at random, a
 * mask a token.
 */
final class MaskTimes {
    private static final int WALKS = 3;
    private static final int WALK_TOKENS = 200;
    private static final int WARM_UP_SCHEMAS = 40;

    private final ModelTasks tasks;
    private final int vocabSize;
    private final Progress progress;

    MaskTimes(ModelTasks tasks, int vocabSize, Progress progress) {
        this.tasks = requireNonNull(tasks, "tasks");
        this.vocabSize = vocabSize;
        this.progress = requireNonNull(progress, "progress");
    }

    void measure(BenchReport report, int schemaCount) {
        // The first schemas are for the JVM to compile the compiler, and for the vocabulary's tree to be made.
        List<String> schemas = Schemas.many(schemaCount + WARM_UP_SCHEMAS);
        schemas.subList(0, WARM_UP_SCHEMAS)
                .forEach(schema -> walk(tasks.json(schema).constraint(), 0));
        List<Double> compileMs = new ArrayList<>();
        List<Double> firstUs = new ArrayList<>();
        List<Double> laterUs = new ArrayList<>();
        for (String schema : schemas.subList(WARM_UP_SCHEMAS, schemas.size())) {
            long begin = System.nanoTime();
            Constraint start = requireNonNull(tasks.json(schema).constraint(), "constraint");
            compileMs.add((System.nanoTime() - begin) / 1e6);
            for (int walk = 0; walk < WALKS; walk++) {
                (walk == 0 ? firstUs : laterUs).addAll(walk(start, walk));
            }
        }
        report.addFigure("schema_compile_p50_ms", percentile("ms", compileMs, 0.5));
        report.addFigure("schema_compile_p99_ms", percentile("ms", compileMs, 0.99));
        report.addFigure("mask_first_use_p50_us", percentile("us", firstUs, 0.5));
        report.addFigure("mask_first_use_p99_us", percentile("us", firstUs, 0.99));
        report.addFigure("mask_p50_us", percentile("us", laterUs, 0.5));
        report.addFigure("mask_p99_us", percentile("us", laterUs, 0.99));
        progress.say(String.format(
                Locale.ROOT, "%d masks of %d schemas, vocabulary of %d", laterUs.size(), schemaCount, vocabSize));
    }

    /** Microseconds of each mask of an output. */
    private List<Double> walk(@Nullable Constraint start, int seed) {
        Random random = new Random(seed);
        List<Double> micros = new ArrayList<>();
        Constraint state = start;
        for (int i = 0; i < WALK_TOKENS && state != null; i++) {
            long begin = System.nanoTime();
            long[] allowed = state.allowed();
            micros.add((System.nanoTime() - begin) / 1e3);
            state = state.after(random(allowed, random));
        }
        return micros;
    }

    /** One of the tokens that may come, each with the same chance. */
    private int random(long[] allowed, Random random) {
        int count = 0;
        for (long word : allowed) {
            count += Long.bitCount(word);
        }
        int skip = random.nextInt(count);
        for (int id = 0; id < Math.min(vocabSize, allowed.length * Long.SIZE); id++) {
            if ((allowed[id / Long.SIZE] >>> id & 1) != 0 && skip-- == 0) {
                return id;
            }
        }
        throw new IllegalStateException("the mask has tokens beyond the vocabulary");
    }

    private static Figure percentile(String unit, List<Double> values, double share) {
        return Figure.of(
                unit,
                Figure.percentile(
                        values.stream().mapToDouble(Double::doubleValue).toArray(), share));
    }
}
