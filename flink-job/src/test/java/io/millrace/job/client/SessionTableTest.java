package io.millrace.job.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.proto.SessionInfo;
import java.util.List;
import org.junit.jupiter.api.Test;

class SessionTableTest {
    private static final long NOW_MS = 1_000_000_000;

    private final SessionInfo running = SessionInfo.newBuilder()
            .setSessionId("running\u001b[2J")
            .setRunningTurns(1)
            .setTokens(4000)
            .setDeviceBlocks(125)
            .setStoredBlocks(120)
            .setStoredBytes(1 << 20)
            .setCreatedMs(NOW_MS - 7_200_000)
            .setLastActiveMs(NOW_MS - 1000)
            .build();
    private final SessionInfo idle = SessionInfo.newBuilder()
            .setSessionId("x".repeat(100))
            .setTokens(70)
            .setHostBlocks(2)
            .setStoredBlocks(2)
            .setLastActiveMs(NOW_MS - 300_000)
            .build();
    private final SessionTable table = new SessionTable(new SessionListing(List.of(idle, running), true), NOW_MS);

    @Test
    void latestComesFirstAndNothingMovesTheCursor() {
        List<String> lines = table.text().lines().toList();

        assertThat(lines).hasSize(4);
        assertThat(lines.get(0)).contains("SESSION", "TIER", "TOKENS", "IDLE");
        assertThat(lines.get(1)).startsWith("running?[2J").contains("device", "4000", "125", "120", "2 h", "1 s");
        assertThat(lines.get(2)).startsWith("xxx").contains("x\u2026", "host", "70", "-", "5 min");
        assertThat(lines.get(3)).isEqualTo("2 sessions, and more");
        assertThat(lines).allMatch(line -> line.length() <= 120);
    }

    @Test
    void jsonHasEverything() {
        JsonNode json = table.json("somewhere");

        assertThat(json.path("source").asText()).isEqualTo("somewhere");
        assertThat(json.path("more").asBoolean()).isTrue();
        JsonNode first = json.path("sessions").path(0);
        assertThat(first.path("session_id").asText()).isEqualTo("running\u001b[2J");
        assertThat(first.path("tier").asText()).isEqualTo("device");
        assertThat(first.path("state_blocks").asInt()).isEqualTo(120);
        assertThat(json.path("sessions").path(1).path("session_id").asText()).hasSize(100);
    }

    @Test
    void tierIsTheFastestThatHasBlocks() {
        assertThat(SessionTable.tier(running)).isEqualTo("device");
        assertThat(SessionTable.tier(idle)).isEqualTo("host");
        assertThat(SessionTable.tier(idle.toBuilder().clearHostBlocks().build()))
                .isEqualTo("state");
        assertThat(SessionTable.tier(SessionInfo.getDefaultInstance())).isEqualTo("none");
    }
}
