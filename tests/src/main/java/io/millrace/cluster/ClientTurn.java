package io.millrace.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.durability.TurnBook.TurnName;
import java.util.ArrayList;
import java.util.List;

/**
 * A turn as its client recorded it, over as many connections as it took.
 *
 * @param asked what the script calls the turn
 * @param session the session's name in this run
 * @param turnId the gateway's name of the turn; empty if no gateway has accepted the request
 * @param outcome how it ended for the client
 * @param detail more on an outcome that is not {@code ENDED}
 * @param cancelled whether the client has asked that the turn be cancelled, and was told that it will be
 * @param connections requests that it took to read the turn
 * @param events all events, in the order in which they came
 */
public record ClientTurn(
        TurnName asked,
        String session,
        String turnId,
        Outcome outcome,
        String detail,
        boolean cancelled,
        int connections,
        List<TurnEvent> events) {
    /** How a turn ended for its client. */
    public enum Outcome {
        /** With the stream's last event. */
        ENDED,
        /** With an error that says that trying again is of no use. */
        FAILED,
        /** No gateway took the request. */
        REFUSED,
        /** A gateway had accepted it, and its end did not come in time. */
        GIVEN_UP
    }

    /** Checks that there are no nulls, and keeps the events. */
    public ClientTurn {
        requireNonNull(asked, "asked");
        requireNonNull(session, "session");
        requireNonNull(turnId, "turnId");
        requireNonNull(outcome, "outcome");
        requireNonNull(detail, "detail");
        events = List.copyOf(events);
    }

    /** Whether a gateway has accepted the request. */
    public boolean accepted() {
        return !turnId.isEmpty();
    }

    /** The turn's tokens. */
    public List<Integer> tokens() {
        List<Integer> tokens = new ArrayList<>();
        events.forEach(event -> tokens.addAll(event.tokenIds()));
        return tokens;
    }

    /** The turn's text. */
    public String content() {
        StringBuilder content = new StringBuilder();
        events.forEach(event -> content.append(event.content()));
        return content.toString();
    }

    /** The name that the job has for the turn. */
    TurnName jobName() {
        return new TurnName(session, turnId);
    }

    /** The longest time that passed between two events, in nanoseconds. */
    public long longestGapNanos() {
        long longest = 0;
        for (int i = 1; i < events.size(); i++) {
            longest = Math.max(
                    longest, events.get(i).atNanos() - events.get(i - 1).atNanos());
        }
        return longest;
    }
}
