package io.millrace.operators.tiers;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.BlockHash;
import io.millrace.kv.flink.BlockStore;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of a job: each of its blocks is in one of the lists, or is nowhere any more.
 *
 * @param firstKey the first of the keys that were taken for the job
 * @param run written and not committed; null if nothing was
 * @param written blocks of the run, in its order
 * @param shared blocks that are not written because other sessions use them too
 * @param left blocks that are still to be written, and where the tiers can find them now
 * @param error why nothing was written, if it was tried
 */
record SaveResult(
        SaveJob job,
        long firstKey,
        BlockStore.@Nullable WrittenRun run,
        List<BlockHash> written,
        List<BlockHash> shared,
        List<BlockHash> left,
        @Nullable IOException error) {
    SaveResult {
        requireNonNull(job, "job");
        written = List.copyOf(written);
        shared = List.copyOf(shared);
        left = List.copyOf(left);
    }

    /** A job that nothing was done for; its blocks are given up. */
    static SaveResult nothing(SaveJob job) {
        return new SaveResult(job, 0, null, List.of(), List.of(), List.of(), null);
    }
}
