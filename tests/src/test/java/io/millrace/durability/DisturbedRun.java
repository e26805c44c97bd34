package io.millrace.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.local.LocalPort;
import io.millrace.connector.local.LocalPortOptions;
import io.millrace.connector.port.TurnStream;
import io.millrace.durability.Disturbance.Phase;
import io.millrace.durability.Faults.Fault;
import io.millrace.engine.EngineLease;
import io.millrace.engine.EngineStats;
import io.millrace.job.graph.MillraceJob;
import io.millrace.job.graph.MillraceOptions;
import io.millrace.kv.BlockValue;
import io.millrace.operators.EngineRole;
import io.millrace.operators.ServedModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.jspecify.annotations.Nullable;

/** Runs a script under a disturbance, on a cluster that other runs use before and after it. */
final class DisturbedRun {
    private final DurableCluster cluster;
    private final AgentScript script;
    private final Sizes sizes;
    private final Path folder;

    /**
     * What a model's engine gets, and how slow it is.
     *
     * @param contentBytes of a block
     * @param checkpointScale checkpoints come so many times less often than the disturbance says
     * @param limitSeconds the longest run
     */
    record Sizes(
            Path modelFile,
            int blockSizeTokens,
            int contentBytes,
            int ampleBlocks,
            int fewBlocks,
            int threads,
            int checkpointScale,
            long limitSeconds) {
        /** Those of a {@linkplain io.millrace.model.GeneratedModel.Options#tiny tiny} model. */
        static Sizes small(Path modelFile) {
            return new Sizes(modelFile, 16, 8192, 2048, 72, 1, 1, 90);
        }
    }

    /**
     * What a run came to.
     *
     * @param book what its turns said; closed
     * @param injected the failures that there were
     * @param passes how often each point was passed
     * @param loads what its engines loaded
     * @param damagedValues values that were damaged in savepoints
     * @param restarts of its jobs
     * @param seconds that it took
     */
    record Result(
            TurnBook book,
            List<Fault> injected,
            Map<FaultPoint, Long> passes,
            Loads loads,
            int damagedValues,
            int restarts,
            double seconds) {
        @Override
        public String toString() {
            return "%.1f s, %s restarts, %s repeated, %s, %s values damaged, injected %s"
                    .formatted(seconds, restarts, book.repeatedCount(), loads, damagedValues, injected);
        }
    }

    DisturbedRun(DurableCluster cluster, AgentScript script, Sizes sizes, Path folder) {
        this.cluster = requireNonNull(cluster, "cluster");
        this.script = requireNonNull(script, "script");
        this.sizes = requireNonNull(sizes, "sizes");
        this.folder = requireNonNull(folder, "folder");
    }

    /**
     * What a test adds to a run.
     *
     * @param options over those that the disturbance gives
     * @param made makes the model into another one
     * @param begun is told of the book before the job begins
     * @param ending is told of the job once all turns have ended
     */
    record Setting(Configuration options, UnaryOperator<ServedModel> made, Consumer<TurnBook> begun, Ending ending) {
        static final Setting PLAIN = new Setting(new Configuration(), UnaryOperator.identity(), book -> {}, job -> {});

        Setting withModel(UnaryOperator<ServedModel> other) {
            return new Setting(options, other, begun, ending);
        }
    }

    /** Looks at a job that has answered everything. */
    @FunctionalInterface
    interface Ending {
        void look(DurableJob job) throws Exception;
    }

    /** Runs the script. */
    Result run(Disturbance disturbance) throws Exception {
        return run(disturbance, Setting.PLAIN);
    }

    /** Runs the script in a setting. */
    Result run(Disturbance disturbance, Setting setting) throws Exception {
        String name = "run-" + disturbance.seed();
        long startNanos = System.nanoTime();
        Loads loads = new Loads(disturbance.seed(), disturbance.tiers().lostShare());
        Configuration options = options(disturbance, folder.resolve(name));
        options.addAll(setting.options());
        try (Faults faults = Faults.open(name, disturbance.faults(), loads);
                TurnBook book = TurnBook.open(name);
                LocalPort port = LocalPort.open(name, LocalPortOptions.DEFAULT)) {
            ServedModel model = setting.made().apply(MillraceJob.servedModel(options));
            setting.begun().accept(book);
            // The engine stays for as long as somebody leases it.
            List<EngineLease> warmth = new ArrayList<>();
            if (disturbance.warm()) {
                engines(disturbance, model).forEach(engine -> warmth.add(engine.lease("warmth", output -> {}, 1)));
            }
            try {
                Attempt attempt = new Attempt(disturbance, options, model, setting, faults, book, port);
                int restarts = attempt.run();
                double seconds = (System.nanoTime() - startNanos) / 1e9;
                return new Result(
                        book, faults.injected(), faults.passes(), loads, attempt.damagedValues(), restarts, seconds);
            } finally {
                warmth.forEach(EngineLease::close);
            }
        }
    }

    /** The model as each of the job's engines serves it. */
    private static List<ServedModel> engines(Disturbance disturbance, ServedModel model) {
        return disturbance.disaggregated()
                ? List.of(model.inRole(EngineRole.PREFILL), model.inRole(EngineRole.DECODE))
                : List.of(model);
    }

    private Configuration options(Disturbance disturbance, Path state) {
        Configuration options =
                cluster.jobOptions(Duration.ofMillis((long) disturbance.checkpointMs() * sizes.checkpointScale()));
        options.set(MillraceOptions.MODEL_FILE, sizes.modelFile().toString());
        options.set(MillraceOptions.BLOCK_SIZE_TOKENS, sizes.blockSizeTokens());
        options.set(MillraceOptions.BLOCK_COUNT, disturbance.ample() ? sizes.ampleBlocks() : sizes.fewBlocks());
        options.set(MillraceOptions.BACKEND_THREADS, sizes.threads());
        options.set(MillraceOptions.DISAGGREGATION_ENABLED, disturbance.disaggregated());
        options.set(MillraceOptions.PREFILL_MIN_UNCACHED_TOKENS, 64);
        options.set(MillraceOptions.ENGINE_LINGER, Duration.ZERO);
        options.set(StateBackendOptions.STATE_BACKEND, disturbance.rocksDb() ? "rocksdb" : "hashmap");
        options.set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
        options.set(CheckpointingOptions.ENABLE_UNALIGNED, disturbance.unaligned());
        options.set(CheckpointingOptions.TOLERABLE_FAILURE_NUMBER, disturbance.tolerant() ? 1000 : 0);
        options.set(CheckpointingOptions.FS_SMALL_FILE_THRESHOLD, new MemorySize(disturbance.inline() ? 20_000 : 0));
        options.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, FaultyFileSystem.address(state.resolve("checkpoints")));
        setTiers(options, disturbance.tiers());
        return options;
    }

    private void setTiers(Configuration options, Disturbance.Tiers tiers) {
        options.setString("millrace.host-tier.enabled", Boolean.toString(tiers.hostBlocks() != 0));
        if (tiers.hostBlocks() > 0) {
            options.setString("millrace.host-tier.max-size", bytes(tiers.hostBlocks()));
        }
        options.setString("millrace.state-tier.enabled", Boolean.toString(tiers.stateBlocks() != 0));
        if (tiers.stateBlocks() > 0) {
            options.setString("millrace.state-tier.max-size", bytes(tiers.stateBlocks()));
        }
        options.setString("millrace.state-tier.min-blocks", Integer.toString(tiers.minBlocks()));
        options.setString("millrace.tiers.load", tiers.load().name());
    }

    private String bytes(int blocks) {
        return (long) blocks * BlockValue.valueBytes(sizes.contentBytes()) + " bytes";
    }

    /** One run's objects. */
    private final class Attempt {
        private final Disturbance disturbance;
        private final Configuration options;
        private final ServedModel model;
        private final Ending ending;
        private final Faults faults;
        private final TurnBook book;
        private final LocalPort port;
        private final AgentFleet fleet;
        private final long deadlineNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(sizes.limitSeconds());
        private boolean phaseEnds;
        private int damagedValues;

        Attempt(
                Disturbance disturbance,
                Configuration options,
                ServedModel model,
                Setting setting,
                Faults faults,
                TurnBook book,
                LocalPort port) {
            this.disturbance = disturbance;
            this.options = options;
            this.model = model;
            this.ending = setting.ending();
            this.faults = faults;
            this.book = book;
            this.port = port;
            fleet = new AgentFleet(script, port);
        }

        int run() throws Exception {
            int restarts = 0;
            @Nullable String savepoint = null;
            boolean started = false;
            for (Phase phase : disturbance.phases()) {
                phaseEnds = false;
                book.whenTokens(phase.endTokens(), this::endPhase);
                try (DurableJob job = DurableJob.submit(cluster, port, plan(phase, savepoint))) {
                    if (!started) {
                        job.awaitAttached();
                        fleet.start();
                        started = true;
                    }
                    pump(job);
                    if (!phase.isLast()) {
                        savepoint = stop(job, phase);
                    } else {
                        faults.clear();
                        checkEngines();
                        ending.look(job);
                    }
                    restarts += job.restarts();
                }
            }
            if (disturbance.chained()) {
                recordFromPort();
            }
            return restarts;
        }

        private DurableJob.Plan plan(Phase phase, @Nullable String savepoint) {
            Configuration phaseOptions = new Configuration(options);
            phaseOptions.set(MillraceOptions.ROUTER_PARALLELISM, phase.parallelism());
            phaseOptions.set(MillraceOptions.PREFILL_PARALLELISM, phase.parallelism());
            phaseOptions.set(MillraceOptions.DECODE_PARALLELISM, phase.parallelism());
            return new DurableJob.Plan(phaseOptions, model, disturbance.chained(), savepoint);
        }

        private String savepoints() {
            return FaultyFileSystem.address(folder.resolve(port.name()).resolve("savepoints"));
        }

        private String stop(DurableJob job, Phase phase) throws Exception {
            if (disturbance.tiers().savedFirst()) {
                job.saveBlocks();
            }
            String savepoint = job.stopWithSavepoint(savepoints(), phase.savepoint());
            // When it is rescaled RocksDB reads all of a file, and refuses one that is damaged.
            boolean checkedByOthers = disturbance.isRescaled() && phase.savepoint() == SavepointFormatType.NATIVE;
            if (disturbance.tiers().damaged() && !checkedByOthers) {
                damagedValues += DamagedValues.damage(
                        FaultyFileSystem.path(savepoint), disturbance.seed(), sizes.contentBytes());
            }
            return savepoint;
        }

        int damagedValues() {
            return damagedValues;
        }

        private void endPhase() {
            synchronized (this) {
                phaseEnds = true;
            }
            fleet.wake();
        }

        private synchronized boolean phaseEnds() {
            return phaseEnds;
        }

        private void pump(DurableJob job) throws Exception {
            while (!fleet.isDone() && !phaseEnds()) {
                fleet.pump(500);
                job.checkAlive();
                if (System.nanoTime() > deadlineNanos) {
                    throw new AssertionError(fleet.turnsLeft() + " turns have not ended within " + sizes.limitSeconds()
                            + " s; " + faults.injected() + " were injected, the job is " + job.status() + " after "
                            + job.restarts() + " restarts, and the port is ready: " + port.isReady()
                            + ", after " + job.lastFailure());
                }
            }
        }

        /** No turn is left behind in the engine, nor a block. */
        private void checkEngines() throws Exception {
            for (ServedModel engine : engines(disturbance, model)) {
                checkEngine(engine);
            }
        }

        private void checkEngine(ServedModel engine) throws Exception {
            try (EngineLease lease = engine.lease("check", output -> {}, 1)) {
                while (isBusy(lease.engine().stats())) {
                    if (System.nanoTime() > deadlineNanos) {
                        throw new AssertionError(
                                "the engine is not idle: " + lease.engine().stats());
                    }
                    Thread.sleep(1);
                }
                lease.engine().checkIntegrity();
            }
        }

        private boolean isBusy(EngineStats stats) {
            return stats.heldBlocks() > 0
                    || stats.runningSequences() + stats.waitingSequences() > 0
                    || stats.blocks().usedBlocks() > 0;
        }

        private void recordFromPort() {
            for (int session = 0; session < script.sessions(); session++) {
                for (int turn = 0; turn < script.turns(); turn++) {
                    TurnStream stream = port.find(AgentScript.sessionId(session), AgentScript.requestId(turn))
                            .orElseThrow();
                    for (int i = 0; i < stream.chunkCount(); i++) {
                        book.add(requireNonNull(stream.chunk(i), "chunk"));
                    }
                }
            }
        }
    }
}
