package io.millrace.job.client;

import io.millrace.proto.SessionInfo;
import java.util.List;

/**
 * Some sessions of a job.
 *
 * @param more whether there are others
 */
public record SessionListing(List<SessionInfo> sessions, boolean more) {
    public SessionListing {
        sessions = List.copyOf(sessions);
    }
}
