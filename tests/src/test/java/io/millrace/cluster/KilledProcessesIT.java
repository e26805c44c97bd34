package io.millrace.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.durability.AgentScript;
import io.millrace.job.cluster.ClusterPlan;
import io.millrace.job.cluster.ClusterProcesses;
import io.millrace.job.cluster.ClusterRole;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Agents work with a cluster of real processes, of which some are killed at random moments and started again. What the
 * agents and the topics have in the end is what a run without disturbance has: nothing is lost, and nothing comes
 * twice.
 *
 * <p>{@code -Dmillrace.cluster.seeds=20} is the whole of it; {@code -Dmillrace.cluster.first-seed=N} begins elsewhere; with
 * {@code -Dmillrace.cluster.job-managers=2} one of them stands by.
 */
@Tag("cluster")
class KilledProcessesIT {
    private static final int SEEDS = Integer.getInteger("millrace.cluster.seeds", 2);
    private static final long FIRST_SEED = Long.getLong("millrace.cluster.first-seed", 1);
    private static final int KILLINGS = Integer.getInteger("millrace.cluster.killings", 2);
    private static final int JOB_MANAGERS = Integer.getInteger("millrace.cluster.job-managers", 1);
    private static final long RUN_SECONDS = 400;

    /** More turns than a run comes to: its agents stop when all killings are over. */
    private static final AgentScript SCRIPT = new AgentScript(8, 12, 200, 400, 60, 160);

    @TempDir
    private Path folder;

    @Test
    void nothingIsLostAndNothingComesTwice() throws Exception {
        ClusterPlan plan = ClusterPlan.standard().withProcesses(2, 2).withHighAvailability(JOB_MANAGERS);
        List<String> failures = new ArrayList<>();
        try (SmallCluster cluster = SmallCluster.up(folder, plan, Map.of())) {
            long startNanos = System.nanoTime();
            List<ClientTurn> undisturbed = cluster.undisturbed(SCRIPT, RUN_SECONDS);
            System.out.printf("undisturbed: %.1f s%n", (System.nanoTime() - startNanos) / 1e9);
            for (long seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
                Killings killings = Killings.of(seed, KILLINGS);
                List<String> problems = run(cluster, killings, undisturbed);
                if (!problems.isEmpty()) {
                    failures.add(killings + ": " + String.join("\n  ", problems));
                    System.out.println(failures.get(failures.size() - 1));
                }
            }
        }
        assertThat(failures).isEmpty();
    }

    private static List<String> run(SmallCluster cluster, Killings killings, List<ClientTurn> undisturbed)
            throws Exception {
        String prefix = "seed-" + killings.seed() + "-";
        long startNanos = System.nanoTime();
        AgentCrowd.Plan plan = new AgentCrowd.Plan(prefix, killings.seed(), 800, true);
        try (AgentCrowd crowd = AgentCrowd.start(SCRIPT, cluster.client(), plan)) {
            int killed = 0;
            for (Killings.Killing killing : killings.list()) {
                // The moment is what the seed decides.
                Thread.sleep(killing.delayMs());
                if (killed > 0 && crowd.isDone()) {
                    // A process that was slow to come back: most others worked on meanwhile.
                    System.out.printf("agents are through before %s%n", killing);
                    break;
                }
                assertThat(crowd.isDone())
                        .as("agents are through before %s", killing)
                        .isFalse();
                kill(cluster.processes(), killing);
                killed++;
            }
            crowd.endSoon();
            List<String> problems = new ArrayList<>();
            if (!crowd.await(RUN_SECONDS)) {
                problems.add("its agents do not come to an end");
            }
            TopicRecords topics = cluster.topics(prefix);
            problems.addAll(new RunChecker(undisturbed).problems(crowd.turns(), topics));
            report(killings, crowd.turns(), topics, (System.nanoTime() - startNanos) / 1e9);
            return problems;
        }
    }

    private static void kill(ClusterProcesses processes, Killings.Killing killing) throws Exception {
        ClusterRole role = killing.role(processes.roles());
        processes.kill(role);
        Thread.sleep(killing.downMs());
        processes.heal(line -> {});
    }

    private static void report(Killings killings, List<ClientTurn> turns, TopicRecords topics, double seconds) {
        long broken = turns.stream().mapToLong(turn -> turn.connections() - 1L).sum();
        long tokens = turns.stream().mapToLong(turn -> turn.tokens().size()).sum();
        double gap = turns.stream().mapToLong(ClientTurn::longestGapNanos).max().orElse(0) / 1e9;
        System.out.printf(
                "%s: %.0f s, %d turns, %d cancelled, %d tokens, %d reconnections, %d chunks in the topic,"
                        + " longest gap %.1f s%n",
                killings,
                seconds,
                turns.size(),
                turns.stream().filter(ClientTurn::cancelled).count(),
                tokens,
                broken,
                topics.chunks().size(),
                gap);
    }
}
