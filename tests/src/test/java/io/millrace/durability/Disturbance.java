package io.millrace.durability;

import io.millrace.durability.FaultPoint.Step;
import io.millrace.durability.Faults.Fault;
import io.millrace.operators.tiers.LoadPolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.flink.core.execution.SavepointFormatType;

/**
 * How one run is disturbed, and what it is made of: drawn from a seed.
 *
 * @param seed what it was drawn from
 * @param rocksDb whether keyed state is in RocksDB, or on the heap
 * @param unaligned whether checkpoints are unaligned
 * @param chained whether Decode hands chunks to the port itself
 * @param warm whether the engine outlives the job's attempts
 * @param ample whether the device has blocks for all sessions, or for few
 * @param inline whether small state goes into a checkpoint's metadata, or into files of its own
 * @param tolerant whether the job goes on when a checkpoint fails
 * @param tiers how the tiers below the device are set
 * @param checkpointMs the interval of checkpoints
 * @param phases the job's parts, one after the other
 * @param faults the failures, one after the other
 * @param disaggregated whether Prefill and Decode have engines of their own
 */
record Disturbance(
        long seed,
        boolean rocksDb,
        boolean unaligned,
        boolean chained,
        boolean warm,
        boolean ample,
        boolean inline,
        boolean tolerant,
        Tiers tiers,
        int checkpointMs,
        List<Phase> phases,
        List<Fault> faults,
        boolean disaggregated) {
    /**
     * A part of a run.
     *
     * @param parallelism of Router, Prefill and Decode
     * @param endTokens tokens of the run after which it ends; the last one does not
     * @param savepoint the format of the savepoint that it ends with
     */
    record Phase(int parallelism, long endTokens, SavepointFormatType savepoint) {
        boolean isLast() {
            return endTokens == Long.MAX_VALUE;
        }

        @Override
        public String toString() {
            return parallelism + (isLast() ? "" : " until " + endTokens + " " + savepoint);
        }
    }

    /**
     * How the tiers below the device are set.
     *
     * @param hostBlocks blocks that HOST has room for; 0 is none, and -1 is what managed memory gives
     * @param stateBlocks blocks that a subtask keeps in STATE; 0 is none, and -1 is as many as come
     * @param minBlocks blocks of a running turn that are saved together
     * @param load whether blocks are loaded
     * @param lostShare of the loads that lose blocks on their way
     * @param savedFirst whether all blocks are saved before a savepoint
     * @param damaged whether some values in a savepoint are damaged
     */
    record Tiers(
            int hostBlocks,
            int stateBlocks,
            int minBlocks,
            LoadPolicy load,
            double lostShare,
            boolean savedFirst,
            boolean damaged) {
        /** All that there is, and nothing is lost. */
        static final Tiers ALL = new Tiers(-1, -1, 4, LoadPolicy.ALWAYS, 0, true, false);

        static Tiers draw(Random random) {
            int[] hosts = {0, 0, 60, -1};
            int[] states = {0, 100, -1, -1, -1};
            return new Tiers(
                    hosts[random.nextInt(hosts.length)],
                    states[random.nextInt(states.length)],
                    1 + random.nextInt(6),
                    random.nextInt(4) == 0 ? LoadPolicy.MEASURED : LoadPolicy.ALWAYS,
                    random.nextInt(3) == 0 ? 0.3 : 0,
                    random.nextBoolean(),
                    random.nextInt(3) == 0);
        }

        @Override
        public String toString() {
            return "HOST " + hostBlocks + " STATE " + stateBlocks + " min " + minBlocks + " " + load
                    + (lostShare > 0 ? " lossy" : "") + (savedFirst ? " saved" : "") + (damaged ? " damaged" : "");
        }
    }

    /** No failure, one task of each kind. */
    static Disturbance none() {
        Phase whole = new Phase(1, Long.MAX_VALUE, SavepointFormatType.NATIVE);
        return new Disturbance(
                0, true, true, false, true, true, false, true, Tiers.ALL, 20, List.of(whole), List.of(), false);
    }

    /**
     * Draws one.
     *
     * @param passes how often each point is passed in a run without failures
     * @param tokens of such a run
     */
    static Disturbance of(long seed, Map<FaultPoint, Long> passes, long tokens) {
        Random random = new Random(seed * 0x9E3779B97F4A7C15L);
        boolean chained = random.nextInt(4) == 0;
        return new Disturbance(
                seed,
                random.nextBoolean(),
                random.nextBoolean(),
                chained,
                random.nextBoolean(),
                random.nextBoolean(),
                random.nextInt(3) == 0,
                random.nextBoolean(),
                Tiers.draw(random),
                15 + random.nextInt(40),
                phases(random, tokens, chained),
                faults(random, passes, chained),
                // Drawn last, so that a seed's other draws are what they were without it.
                random.nextInt(3) == 0);
    }

    /** The same on a device with blocks for few sessions, with tiers below it. */
    Disturbance withTiers(Tiers others) {
        return new Disturbance(
                seed,
                rocksDb,
                unaligned,
                chained,
                warm,
                false,
                inline,
                tolerant,
                others,
                checkpointMs,
                phases,
                faults,
                disaggregated);
    }

    /** The same with keyed state in RocksDB, or on the heap. */
    Disturbance withRocksDb(boolean inRocksDb) {
        return with(inRocksDb, phases, faults);
    }

    /** The same in other parts. */
    Disturbance withPhases(List<Phase> others) {
        return with(rocksDb, others, faults);
    }

    /** The same with other failures. */
    Disturbance withFaults(List<Fault> others) {
        return with(rocksDb, phases, others);
    }

    private Disturbance with(boolean inRocksDb, List<Phase> otherPhases, List<Fault> otherFaults) {
        return new Disturbance(
                seed,
                inRocksDb,
                unaligned,
                chained,
                warm,
                ample,
                inline,
                tolerant,
                tiers,
                checkpointMs,
                otherPhases,
                otherFaults,
                disaggregated);
    }

    /** Whether a job of another parallelism goes on with the savepoints: then Flink reads all that is in them. */
    boolean isRescaled() {
        return phases.stream().map(Phase::parallelism).distinct().count() > 1;
    }

    private static List<Phase> phases(Random random, long tokens, boolean chained) {
        // Tokens are counted where they are recorded.
        if (chained || random.nextInt(3) > 0) {
            return List.of(new Phase(1 + random.nextInt(DurableCluster.SLOTS), Long.MAX_VALUE, format(random)));
        }
        long first = 1 + random.nextInt((int) tokens / 2);
        long second = first + 1 + random.nextInt((int) (tokens - first) / 2 + 1);
        return List.of(
                new Phase(1, first, format(random)),
                new Phase(3, second, format(random)),
                new Phase(2, Long.MAX_VALUE, format(random)));
    }

    private static SavepointFormatType format(Random random) {
        return random.nextBoolean() ? SavepointFormatType.CANONICAL : SavepointFormatType.NATIVE;
    }

    /** One failure while the job runs; often one in the restore after it, and sometimes more. */
    private static List<Fault> faults(Random random, Map<FaultPoint, Long> passes, boolean chained) {
        List<Fault> faults = new ArrayList<>();
        Step[] running = {Step.RECORD, Step.MAIL, Step.CHECKPOINT};
        faults.add(fault(random, passes, chained, running[random.nextInt(running.length)]));
        if (random.nextBoolean()) {
            faults.add(fault(random, passes, chained, Step.RESTORE));
        }
        while (random.nextInt(3) == 0) {
            faults.add(fault(random, passes, chained, Step.values()[random.nextInt(Step.values().length)]));
        }
        return List.copyOf(faults);
    }

    private static Fault fault(Random random, Map<FaultPoint, Long> passes, boolean chained, Step step) {
        List<FaultPoint> points = Arrays.stream(FaultPoint.values())
                .filter(point -> point.step() == step)
                .filter(point -> step == Step.RESTORE || passes.containsKey(point))
                .filter(point -> !chained || !point.name().startsWith("SINK"))
                .toList();
        FaultPoint point = points.get(random.nextInt(points.size()));
        long often = passes.getOrDefault(point, 0L);
        long latest = switch (step) {
            case RECORD, MAIL -> often * 9 / 10;
            // A later run may be quicker than that which was counted, and have fewer.
            case CHECKPOINT -> often / 3;
            case RESTORE -> restorePasses(point);
        };
        return new Fault(point, 1 + random.nextInt((int) Math.max(1, latest)));
    }

    /** How often a point is passed in one restore, or less. */
    private static int restorePasses(FaultPoint point) {
        return switch (point) {
            case FILE_OPEN, FILE_READ -> 8;
            case LEASE, TEXT_OPEN -> 2;
            default -> 1;
        };
    }

    @Override
    public String toString() {
        return "seed " + seed + ": " + (rocksDb ? "rocksdb" : "hashmap") + (unaligned ? ", unaligned" : ", aligned")
                + (chained ? ", chained" : "") + (warm ? ", warm" : ", cold") + (ample ? ", ample" : ", tiny")
                + (inline ? ", inline" : "") + (tolerant ? ", tolerant" : "")
                + (disaggregated ? ", disaggregated" : "") + ", " + tiers + ", every " + checkpointMs
                + " ms, "
                + "parallelism " + phases + ", " + faults;
    }
}
