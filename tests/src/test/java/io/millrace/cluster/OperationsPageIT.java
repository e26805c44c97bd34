package io.millrace.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.durability.AgentScript;
import io.millrace.job.cluster.ClusterProcesses;
import io.millrace.job.cluster.Distribution;
import io.millrace.tidy.SourceTree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every command of {@code docs/operations.md}, in its order and in one shell, as a person would type it, while agents
 * work with the cluster; none of them may notice more than a pause.
 */
@Tag("cluster")
class OperationsPageIT {
    private static final Pattern BLOCK = Pattern.compile("^```sh\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern PLACEHOLDER = Pattern.compile("…|\\.\\.\\.|<[a-z]+>");
    private static final long RUN_SECONDS = 400;
    private static final String PREFIX = "page-";

    /** More turns than agents come to while the page is gone through. */
    private static final AgentScript SCRIPT = new AgentScript(4, 24, 200, 300, 60, 160);

    private static final int THINK_MS = 8_000;

    @TempDir
    private Path folder;

    @Test
    void everyCommandWorksAndNoTokenIsLost() throws Exception {
        List<String> blocks = blocks();
        Map<String, String> environment = Map.of(
                "MODEL",
                SmallCluster.model(folder).toString(),
                "MILLRACE_HOME",
                folder.toString(),
                "MILLRACE_JVM_OPTS",
                "-Xmx400m");
        try (ShellSession shell = new ShellSession(environment)) {
            run(shell, blocks.get(0));
            try (ClusterProcesses cluster =
                    ClusterProcesses.find(folder.resolve("cluster"), Distribution.in(SourceTree.root()))) {
                assertThat(cluster).isNotNull();
                List<ClientTurn> undisturbed = play(cluster, "undisturbed-", 0, () -> {});
                List<ClientTurn> turns = play(cluster, PREFIX, THINK_MS, () -> {
                    for (String block : blocks.subList(1, blocks.size() - 1)) {
                        run(shell, block);
                    }
                });
                System.out.printf(
                        "%d turns; the longest pause of one was %.1f s%n",
                        turns.size(),
                        turns.stream()
                                        .mapToLong(ClientTurn::longestGapNanos)
                                        .max()
                                        .orElse(0)
                                / 1e9);
                assertThat(new RunChecker(undisturbed).problems(turns, SmallCluster.topics(cluster, PREFIX)))
                        .isEmpty();
                run(shell, blocks.get(blocks.size() - 1));
            }
        }
    }

    private interface Meanwhile {
        void run() throws Exception;
    }

    /** Plays the script, all of it unless something else is to be done meanwhile. */
    private static List<ClientTurn> play(ClusterProcesses cluster, String prefix, int thinkMs, Meanwhile meanwhile)
            throws Exception {
        RecordingClient client =
                new RecordingClient(cluster::gatewayUris, Duration.ofSeconds(RUN_SECONDS), Integer.MAX_VALUE);
        boolean disturbed = thinkMs > 0;
        AgentCrowd.Plan plan = new AgentCrowd.Plan(prefix, 1, thinkMs, disturbed);
        try (AgentCrowd crowd = AgentCrowd.start(SCRIPT, client, plan)) {
            meanwhile.run();
            if (disturbed) {
                assertThat(crowd.isDone()).as("agents are through too early").isFalse();
                crowd.endSoon();
            }
            assertThat(crowd.await(RUN_SECONDS)).as("agents come to an end").isTrue();
            return crowd.turns();
        }
    }

    private static void run(ShellSession shell, String block) throws Exception {
        long startNanos = System.nanoTime();
        String printed = shell.run(block);
        System.out.printf("--- %.1f s%n%s---%n%s", (System.nanoTime() - startNanos) / 1e9, block, printed);
    }

    private static List<String> blocks() throws Exception {
        Matcher matcher = BLOCK.matcher(Files.readString(SourceTree.root().resolve("docs/operations.md")));
        List<String> blocks = new ArrayList<>();
        while (matcher.find()) {
            assertThat(matcher.group(1)).doesNotContainPattern(PLACEHOLDER);
            blocks.add(matcher.group(1));
        }
        assertThat(blocks).hasSizeGreaterThan(5);
        return blocks;
    }
}
