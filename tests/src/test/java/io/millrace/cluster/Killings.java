package io.millrace.cluster;

import io.millrace.job.cluster.ClusterRole;
import io.millrace.job.cluster.ClusterRole.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Which processes are killed in a run, and when. Decided by its seed; four seeds in a row begin with every kind.
 *
 * @param seed of all that
 * @param list in their order
 */
record Killings(long seed, List<Killing> list) {
    private static final List<Kind> KINDS = List.of(Kind.TASKMANAGER, Kind.KAFKA, Kind.JOBMANAGER, Kind.GATEWAY);
    private static final int DELAY_MS_MIN = 300;
    private static final int DELAY_MS_MAX = 4_000;
    private static final int DOWN_MS_MAX = 2_500;

    /**
     * One of them.
     *
     * @param delayMs from the time when all ran again
     * @param kind of process
     * @param pick which of those of its kind
     * @param downMs until it is started again
     */
    record Killing(int delayMs, Kind kind, int pick, int downMs) {
        /** The process, among those that a cluster has. */
        ClusterRole role(List<ClusterRole> roles) {
            List<ClusterRole> same =
                    roles.stream().filter(role -> role.kind() == kind).toList();
            return same.get(pick % same.size());
        }

        @Override
        public String toString() {
            return kind + " " + pick + " after " + delayMs + " ms, for " + downMs + " ms";
        }
    }

    static Killings of(long seed, int count) {
        Random random = new Random(seed);
        List<Killing> list = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Kind kind = i == 0
                    ? KINDS.get((int) Math.floorMod(seed - 1, KINDS.size()))
                    : KINDS.get(random.nextInt(KINDS.size()));
            int delayMs = DELAY_MS_MIN + random.nextInt(DELAY_MS_MAX - DELAY_MS_MIN);
            list.add(new Killing(delayMs, kind, random.nextInt(8), random.nextInt(DOWN_MS_MAX)));
        }
        return new Killings(seed, List.copyOf(list));
    }
}
