package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.proto.SessionRecord;

/**
 * A session as the tiers see it.
 *
 * @param sessionRecord what state knows of it
 * @param runningTurns turns that have not ended
 * @param tokens of the turn that runs, else of the last that ended
 * @param deviceBlocks its blocks that the device holds, of those that state knows or that its turns have
 * @param hostBlocks those that HOST holds
 */
public record SessionView(SessionRecord sessionRecord, int runningTurns, int tokens, int deviceBlocks, int hostBlocks) {
    public SessionView {
        requireNonNull(sessionRecord, "sessionRecord");
    }
}
