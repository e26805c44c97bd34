package io.millrace.job.client;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.proto.SessionInfo;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Sessions as people and programs read them, those that were active last first. */
public final class SessionTable {
    private static final int NAME_CHARS = 36;
    private static final String ROW = "%-" + NAME_CHARS + "s  %-6s  %7s  %8s  %8s  %8s  %8s  %8s  %8s%n";

    private final List<SessionInfo> sessions;
    private final boolean more;
    private final long nowMs;

    /**
     * Shows a listing.
     *
     * @param nowMs what ages are counted to: milliseconds since the epoch
     */
    public SessionTable(SessionListing listing, long nowMs) {
        requireNonNull(listing, "listing");
        this.sessions = listing.sessions().stream()
                .sorted(Comparator.comparingLong(SessionInfo::getLastActiveMs)
                        .reversed()
                        .thenComparing(SessionInfo::getSessionId))
                .toList();
        this.more = listing.more();
        this.nowMs = nowMs;
    }

    /** The fastest tier that has blocks of a session: {@code device}, {@code host}, {@code state}, or {@code none}. */
    public static String tier(SessionInfo session) {
        if (session.getDeviceBlocks() > 0) {
            return "device";
        }
        if (session.getHostBlocks() > 0) {
            return "host";
        }
        return session.getStoredBlocks() > 0 ? "state" : "none";
    }

    /** A table for a terminal. Blocks are counted: how many each tier has of a session. */
    public String text() {
        StringBuilder text = new StringBuilder(
                row("SESSION", "TIER", "RUNNING", "TOKENS", "DEVICE", "HOST", "STATE", "AGE", "IDLE"));
        for (SessionInfo session : sessions) {
            text.append(row(
                    name(session.getSessionId()),
                    tier(session),
                    Integer.toString(session.getRunningTurns()),
                    Integer.toString(session.getTokens()),
                    Integer.toString(session.getDeviceBlocks()),
                    Integer.toString(session.getHostBlocks()),
                    Integer.toString(session.getStoredBlocks()),
                    since(session.getCreatedMs()),
                    since(session.getLastActiveMs())));
        }
        text.append(String.format(
                Locale.ROOT,
                "%d session%s%s%n",
                sessions.size(),
                sessions.size() == 1 ? "" : "s",
                more ? ", and more" : ""));
        return text.toString();
    }

    /**
     * The same as JSON.
     *
     * @param source where they come from: an address or a folder
     */
    public ObjectNode json(String source) {
        ObjectNode json = new ObjectMapper().createObjectNode();
        json.put("source", source).put("more", more);
        ArrayNode rows = json.putArray("sessions");
        for (SessionInfo session : sessions) {
            rows.addObject()
                    .put("session_id", session.getSessionId())
                    .put("tier", tier(session))
                    .put("running_turns", session.getRunningTurns())
                    .put("tokens", session.getTokens())
                    .put("device_blocks", session.getDeviceBlocks())
                    .put("host_blocks", session.getHostBlocks())
                    .put("state_blocks", session.getStoredBlocks())
                    .put("state_bytes", session.getStoredBytes())
                    .put("created_ms", session.getCreatedMs())
                    .put("last_active_ms", session.getLastActiveMs())
                    .put("subtask", session.getSubtask());
        }
        return json;
    }

    private static String row(Object... cells) {
        return String.format(Locale.ROOT, ROW, cells);
    }

    /** A client chose it: what would move a terminal's cursor is not printed. */
    private static String name(String sessionId) {
        String printable = sessionId.replaceAll("\\p{Cntrl}", "?");
        return printable.length() <= NAME_CHARS ? printable : printable.substring(0, NAME_CHARS - 1) + "\u2026";
    }

    private String since(long ms) {
        if (ms == 0) {
            return "-";
        }
        long seconds = Math.max(0, nowMs - ms) / 1000;
        if (seconds < 60) {
            return seconds + " s";
        }
        if (seconds < 3600) {
            return seconds / 60 + " min";
        }
        return seconds < 86_400 * 2 ? seconds / 3600 + " h" : seconds / 86_400 + " d";
    }
}
