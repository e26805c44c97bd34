package io.millrace.bench.soak;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.Progress;
import io.millrace.connector.local.LocalPort;
import io.millrace.connector.local.LocalPortOptions;
import io.millrace.durability.AgentFleet;
import io.millrace.durability.AgentScript;
import io.millrace.durability.DurableCluster;
import io.millrace.durability.DurableJob;
import io.millrace.durability.FaultPoint;
import io.millrace.durability.Faults;
import io.millrace.durability.Faults.Fault;
import io.millrace.durability.FaultyFileSystem;
import io.millrace.durability.Loads;
import io.millrace.job.graph.MillraceJob;
import io.millrace.job.graph.MillraceOptions;
import io.millrace.model.GeneratedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.jspecify.annotations.Nullable;

/** One soak: rounds of a script, each of new sessions, with failures in between. */
final class Soak implements AutoCloseable {
    private static final String RUN = "soak";
    private static final AgentScript SCRIPT = AgentScript.SMALL;
    private static final MemorySize MANAGED = MemorySize.ofMebiBytes(96);
    private static final long ROUND_SECONDS_MAX = 180;
    /** Of so many rounds one ends with a savepoint, from which another job goes on. */
    private static final int ROUNDS_PER_SAVEPOINT = 3;
    /** What is loaded and allocated once, and what fills up to a limit, is there by then. */
    private static final double WARM_UP_SHARE = 0.2;

    private static final long SAMPLE_SECONDS = 10;
    /** Points at which a running job fails, wherever it is. */
    private static final List<FaultPoint> POINTS = Arrays.stream(FaultPoint.values())
            .filter(point -> point.step() != FaultPoint.Step.RESTORE)
            .filter(point -> !point.name().startsWith("SINK"))
            .toList();

    private final Path folder;
    private final Random random;
    private final Progress progress;
    private final long startNanos = System.nanoTime();
    private final long durationNanos;
    private final DurableCluster cluster;
    private final LocalPort port;
    private final Faults faults;
    private final List<Usage> samples = new ArrayList<>();
    private long lastSampleNanos = startNanos;
    private List<List<List<Integer>>> expected = List.of();
    private @Nullable DurableJob job;
    private int rounds;
    private int savepoints;

    /** What it came to. */
    record Result(List<Usage> samples, long turns, long failures, long savepoints) {}

    private Soak(double minutes, long seed, Progress progress) throws Exception {
        this.progress = requireNonNull(progress, "progress");
        random = new Random(seed);
        durationNanos = (long) (minutes * TimeUnit.MINUTES.toNanos(1));
        folder = Files.createTempDirectory("millrace-soak");
        GeneratedModel.write(folder.resolve("generated.gguf"), GeneratedModel.Options.tiny("llama", 1));
        cluster = new DurableCluster(MANAGED, new Configuration());
        port = LocalPort.open(RUN, new LocalPortOptions(1024, 1024, 4 * SCRIPT.turnCount(), 8 << 20));
        faults = Faults.open(RUN, List.of(), new Loads(seed, 0.1));
    }

    /** Soaks for some minutes. */
    static Result run(double minutes, long seed, Progress progress) throws Exception {
        try (Soak soak = new Soak(minutes, seed, progress)) {
            return soak.run();
        }
    }

    private Result run() throws Exception {
        submit(null);
        requireNonNull(job, "job").awaitAttached();
        expected = round(0);
        while (System.nanoTime() - startNanos < durationNanos) {
            int wanted = random.nextInt(4);
            boolean isSame = round(wanted).equals(expected);
            if (!isSame) {
                throw new IllegalStateException("round " + rounds + " said something else than the first");
            }
            if (rounds % ROUNDS_PER_SAVEPOINT == 0) {
                goOnFromSavepoint();
            }
        }
        return new Result(
                samples, (long) rounds * SCRIPT.turnCount(), faults.injected().size(), savepoints);
    }

    /** Sessions that nobody has seen yet follow the script; returns their turns' tokens. */
    private List<List<List<Integer>>> round(int failures) throws Exception {
        AgentFleet fleet = new AgentFleet(SCRIPT, port, "round-" + rounds + "-");
        fleet.start();
        for (int i = 0; i < failures; i++) {
            faults.add(new Fault(POINTS.get(random.nextInt(POINTS.size())), 1 + random.nextInt(40)));
        }
        long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(ROUND_SECONDS_MAX);
        while (!fleet.isDone()) {
            fleet.pump(200);
            requireNonNull(job, "job").checkAlive();
            sayNowAndThen();
            if (System.nanoTime() > deadlineNanos) {
                throw new IllegalStateException(fleet.turnsLeft() + " turns of round " + rounds + " do not end after "
                        + requireNonNull(job, "job").lastFailure());
            }
        }
        rounds++;
        return fleet.tokens();
    }

    private void goOnFromSavepoint() throws Exception {
        faults.clear();
        DurableJob stopped = requireNonNull(job, "job");
        SavepointFormatType format = random.nextBoolean() ? SavepointFormatType.NATIVE : SavepointFormatType.CANONICAL;
        String savepoint = stopped.stopWithSavepoint(FaultyFileSystem.address(folder.resolve("savepoints")), format);
        stopped.close();
        savepoints++;
        // No task runs now: whatever is used more than at an earlier savepoint was left behind.
        Usage usage = Usage.now();
        say("stopped", usage);
        if (System.nanoTime() - startNanos > durationNanos * WARM_UP_SHARE) {
            samples.add(usage);
        }
        submit(savepoint);
        requireNonNull(job, "job").awaitAttached();
    }

    private void submit(@Nullable String savepoint) throws Exception {
        Configuration options = cluster.jobOptions(Duration.ofMillis(100));
        int parallelism = 1 + random.nextInt(DurableCluster.SLOTS);
        options.set(MillraceOptions.ROUTER_PARALLELISM, parallelism);
        options.set(MillraceOptions.PREFILL_PARALLELISM, parallelism);
        options.set(MillraceOptions.DECODE_PARALLELISM, parallelism);
        options.set(MillraceOptions.MODEL_FILE, folder.resolve("generated.gguf").toString());
        options.set(MillraceOptions.BLOCK_SIZE_TOKENS, 16);
        options.set(MillraceOptions.BLOCK_COUNT, random.nextBoolean() ? 96 : 1024);
        options.set(MillraceOptions.BACKEND_THREADS, 1);
        options.set(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS, 64);
        // A new engine for each attempt: what one leaves behind would add up.
        options.set(MillraceOptions.ENGINE_LINGER, Duration.ZERO);
        options.set(MillraceOptions.SESSION_TTL, Duration.ofSeconds(30));
        options.set(MillraceOptions.HOST_TIER_MAX_SIZE, MemorySize.ofMebiBytes(4));
        options.set(MillraceOptions.STATE_TIER_MAX_SIZE, MemorySize.ofMebiBytes(16));
        options.set(MillraceOptions.STATE_TIER_MIN_BLOCKS, 4);
        options.set(StateBackendOptions.STATE_BACKEND, "rocksdb");
        options.set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
        options.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, FaultyFileSystem.address(folder.resolve(RUN)));
        job = DurableJob.submit(
                cluster, port, new DurableJob.Plan(options, MillraceJob.servedModel(options), true, savepoint));
    }

    private void sayNowAndThen() throws IOException {
        long nowNanos = System.nanoTime();
        if (nowNanos - lastSampleNanos >= TimeUnit.SECONDS.toNanos(SAMPLE_SECONDS)) {
            lastSampleNanos = nowNanos;
            say("running", Usage.now());
        }
    }

    private void say(String what, Usage usage) {
        progress.say("%s: %s turns, %s failures, %s savepoints, %s; %s"
                .formatted(
                        what,
                        rounds * SCRIPT.turnCount(),
                        faults.injected().size(),
                        savepoints,
                        faults.loads(),
                        usage));
    }

    @Override
    public void close() throws Exception {
        faults.clear();
        if (job != null) {
            job.close();
        }
        port.close();
        cluster.close();
        faults.close();
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }
}
