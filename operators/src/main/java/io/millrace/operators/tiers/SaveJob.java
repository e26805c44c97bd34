package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import java.util.List;

/**
 * Some blocks of a session to save in one run.
 *
 * @param id counts up in the order of the queue
 * @param session whose they are
 * @param hashes their names in the order of the chain
 */
record SaveJob(long id, LiveSession session, List<BlockHash> hashes) {
    SaveJob {
        requireNonNull(session, "session");
        hashes = List.copyOf(hashes);
    }
}
