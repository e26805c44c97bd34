package io.millrace.job.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ServingException;
import io.millrace.proto.SessionInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Savepoints read without a job. */
class SavedSessionsITCase {
    @TempDir
    private Path folder;

    @Test
    void sessionsOfAnEarlierVersionAreRead() throws Exception {
        SessionListing listing = SavedSessions.read(earlier(), 100);

        assertThat(listing.more()).isFalse();
        Map<String, SessionInfo> sessions =
                listing.sessions().stream().collect(Collectors.toMap(SessionInfo::getSessionId, Function.identity()));
        assertThat(sessions)
                .containsOnlyKeys(
                        "ended",
                        "ended-too",
                        "decoding-greedy",
                        "decoding-sampled",
                        "decoding-in-a-tool-loop",
                        "prefilling");
        assertThat(sessions.get("ended").getRunningTurns()).isZero();
        assertThat(sessions.get("decoding-greedy").getRunningTurns()).isOne();
        // The prompt and what was generated of it.
        assertThat(sessions.get("decoding-greedy").getTokens()).isGreaterThan("user:grind\n".length() + 30);
        assertThat(sessions.get("prefilling").getTokens()).isEqualTo("user:\n".length() + 1200);
        assertThat(sessions.values()).allMatch(session -> session.getLastActiveMs() > 0);
    }

    @Test
    void limitHolds() throws Exception {
        SessionListing listing = SavedSessions.read(earlier(), 2);

        assertThat(listing.sessions()).hasSize(2);
        assertThat(listing.more()).isTrue();
    }

    @Test
    void damagedSavepointIsNamed() throws Exception {
        Files.writeString(folder.resolve("_metadata"), "this is no savepoint");

        assertThatThrownBy(() -> SavedSessions.read(folder.toUri().toString(), 100))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("cannot be read as a savepoint");
    }

    private String earlier() throws Exception {
        return getClass().getResource("/savepoints/0.1").toURI().toString();
    }
}
