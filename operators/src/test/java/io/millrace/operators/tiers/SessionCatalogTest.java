package io.millrace.operators.tiers;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.flink.SessionPlacement;
import io.millrace.proto.SessionRecord;
import java.util.List;
import org.junit.jupiter.api.Test;

class SessionCatalogTest {
    private final SessionCatalog catalog = new SessionCatalog(new LeastRecentlyUsedSessions());

    @Test
    void sessionUsedLongestAgoGivesFirst() {
        put("a", 1, 10);
        put("b", 2, 20);
        put("c", 3, 0);
        assertThat(catalog.storedBytes()).isEqualTo(30);
        assertThat(catalog.sessionCount()).isEqualTo(3);
        assertThat(next()).isEqualTo("a");
        put("a", 4, 15);
        assertThat(next()).isEqualTo("b");
        assertThat(catalog.next(session -> !session.sessionId().equals("b")))
                .isEqualTo(SessionPlacement.bySessionId("a"));
        put("b", 2, 0);
        assertThat(next()).isEqualTo("a");
        catalog.remove(SessionPlacement.bySessionId("a"));
        assertThat(catalog.next(session -> true)).isNull();
        assertThat(catalog.storedBytes()).isZero();
        assertThat(catalog.sessionCount()).isEqualTo(2);
    }

    @Test
    void restoredSessionsAreInTheOrderOfTheirUse() {
        catalog.restore(List.of(entry("a", 3), entry("b", 1), entry("c", 2)));
        assertThat(next()).isEqualTo("b");
        assertThat(catalog.latest(2))
                .extracting(entry -> entry.placement().sessionId())
                .containsExactly("a", "c");
        assertThat(catalog.after("", 2))
                .extracting(entry -> entry.placement().sessionId())
                .containsExactly("a", "b");
        assertThat(catalog.after("b", 2))
                .extracting(entry -> entry.placement().sessionId())
                .containsExactly("c");
    }

    @Test
    void nothingIsKeptByTheTrivialRetention() {
        SessionRetention drop = new DropAfterTurn();
        drop.used("a");
        assertThat(drop.keepsAfterTurn()).isFalse();
        assertThat(drop.next(session -> true)).isNull();
    }

    private String next() {
        SessionPlacement next = catalog.next(session -> true);
        return next == null ? "" : next.sessionId();
    }

    private void put(String sessionId, long lastActiveMs, int bytes) {
        catalog.put(
                SessionPlacement.bySessionId(sessionId),
                SessionRecord.newBuilder()
                        .setSessionId(sessionId)
                        .setLastActiveMs(lastActiveMs)
                        .setStoredBytes(bytes)
                        .setStoredBlocks(bytes)
                        .build());
    }

    private static SessionCatalog.Entry entry(String sessionId, long lastActiveMs) {
        return new SessionCatalog.Entry(SessionPlacement.bySessionId(sessionId), lastActiveMs, 5, 1);
    }
}
