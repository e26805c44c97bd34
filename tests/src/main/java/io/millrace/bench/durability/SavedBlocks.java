package io.millrace.bench.durability;

import io.millrace.job.graph.MillraceJob;
import io.millrace.operators.decode.coordination.DecodeControlClient;
import io.millrace.proto.SaveBlocksResult;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.apache.flink.util.SerializedValue;

/** Has a job write what the STATE tier does not have yet, as the command line does before a savepoint. */
final class SavedBlocks {
    private static final int ATTEMPTS_MAX = 200;
    private static final Duration LIMIT = Duration.ofMinutes(2);
    private static final long PAUSE_MS = 20;

    private SavedBlocks() {}

    /** Asks until nothing is left to write. */
    static void save(JobCluster job) throws Exception {
        DecodeControlClient client = client(job);
        for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
            SaveBlocksResult saved = client.saveBlocks(LIMIT).get(LIMIT.toSeconds() + PAUSE_MS, TimeUnit.SECONDS);
            if (saved.getBlocks() == 0 && saved.getSkippedBlocks() == 0) {
                return;
            }
            Thread.sleep(PAUSE_MS);
        }
        throw new IllegalStateException("blocks were left to be written after " + ATTEMPTS_MAX + " attempts");
    }

    /** A client of the job's Decode. */
    static DecodeControlClient client(JobCluster job) {
        return new DecodeControlClient(MillraceJob.DECODE_UID, (uid, request) -> {
            try {
                return job.flink()
                        .deliverCoordinationRequestToCoordinator(job.jobId(), uid, new SerializedValue<>(request));
            } catch (IOException e) {
                throw new IllegalStateException("a request cannot be serialised", e);
            }
        });
    }
}
