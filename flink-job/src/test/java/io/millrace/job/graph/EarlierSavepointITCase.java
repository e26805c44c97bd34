package io.millrace.job.graph;

import static io.millrace.job.graph.TestingJob.awaitComplete;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.connector.port.TurnStream;
import io.millrace.engine.Engine;
import io.millrace.operators.testing.TestingServedModel;
import io.millrace.proto.AgentRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.StateBackendOptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Savepoints that earlier versions wrote, restored by this one. */
class EarlierSavepointITCase {
    private static final int QUEUE_CAPACITY = 64;

    @ParameterizedTest
    @CsvSource({"0.1, rocksdb, 1", "0.1, hashmap, 3"})
    void turnsGoOnAndSessionsAreKnown(String version, String backend, int parallelism) throws Exception {
        Path folder = Path.of(getClass().getResource("/savepoints/" + version).toURI());
        Map<String, List<Integer>> undisturbed = SavepointFixture.readTokens(folder);
        Configuration options = SavepointFixture.options();
        options.set(StateBackendOptions.STATE_BACKEND, backend);
        options.set(MillraceOptions.DECODE_PARALLELISM, parallelism);
        String name = "earlier-" + version + "-" + backend;
        try (Engine engine = TestingEngine.started(TestingEngine.instance(512), QUEUE_CAPACITY);
                TestingJob job = new TestingJob(
                        new TestingServedModel(name, engine, TestingEngine.MAX_TURN_TOKENS),
                        options,
                        folder.toUri().toString())) {
            long continued = unfinishedTurnsEndByThemselves(job, engine, undisturbed);
            everyTurnIsRepeated(job, undisturbed);
            assertThat(engine.stats().outputTokens())
                    .as("no turn was run again")
                    .isEqualTo(continued);
            AgentRequest later = SavepointFixture.later();
            assertThat(SavepointFixture.answers(job, List.of(later)))
                    .containsEntry(SavepointFixture.key(later), undisturbed.get(SavepointFixture.key(later)));
            engine.checkIntegrity();
        }
    }

    /** Returns the tokens that this took the engine. */
    private static long unfinishedTurnsEndByThemselves(
            TestingJob job, Engine engine, Map<String, List<Integer>> undisturbed) throws Exception {
        List<AgentRequest> unfinished = new ArrayList<>(SavepointFixture.decoding());
        unfinished.add(SavepointFixture.prefilling());
        int whole = 0;
        for (AgentRequest request : unfinished) {
            whole += undisturbed.get(SavepointFixture.key(request)).size();
        }
        // Of each decoding turn some tokens were in the savepoint; the tokens that are left, and an end of each turn.
        int before =
                SavepointFixture.CHUNKS_BEFORE * SavepointFixture.decoding().size();
        int wholeTurns = whole;
        TestingJob.await("the turns of the savepoint have ended", () -> {
            long tokens = engine.stats().outputTokens();
            return job.port().unknownChunks() == tokens + unfinished.size()
                    && tokens > 0
                    && engine.stats().runningSequences() + engine.stats().waitingSequences() == 0;
        });
        assertThat(engine.stats().outputTokens()).isBetween(1L, (long) wholeTurns - before);
        return engine.stats().outputTokens();
    }

    private static void everyTurnIsRepeated(TestingJob job, Map<String, List<Integer>> undisturbed) throws Exception {
        List<AgentRequest> requests = new ArrayList<>(SavepointFixture.ended());
        // The first turn of a session that had two is known to have ended, and no longer held.
        AgentRequest first = requests.remove(0);
        TurnStream notHeld = job.port().submit(first);
        awaitComplete(notHeld);
        assertThat(TestingJob.last(notHeld).getFailed().getMessage()).contains("no longer held");
        requests.addAll(SavepointFixture.decoding());
        requests.add(SavepointFixture.prefilling());
        Map<String, List<Integer>> answers = SavepointFixture.answers(job, requests);
        for (AgentRequest request : requests) {
            String key = SavepointFixture.key(request);
            assertThat(answers.get(key)).as(key).isEqualTo(undisturbed.get(key));
        }
    }
}
