package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.BenchReport;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import io.millrace.kv.BlockValue;
import io.millrace.kv.KvBlockLayout;
import java.util.List;
import java.util.Locale;

/**
 * What checkpoints upload: beside what is new, where sessions stay and where they come and go, and beside how large the
 * state is. And what the state takes on the disk.
 */
final class Uploads {
    private static final long SEED = 20_261_123;
    private static final int SESSIONS = 16;
    private static final int GROWING_SESSIONS = 5;
    private static final int GROWN_BLOCKS = 4;
    private static final int CHURN_EVERY = 5;
    // A state in RocksDB and in a checkpoint, and what a merge or a second checkpoint adds.
    private static final double DISK_COPIES = 2.3;
    private static final double GIBIBYTE = 1L << 30;

    private final WorkFolder work;
    private final KvBlockLayout layout;
    private final Sizes sizes;
    private final Progress progress;

    /**
     * How much is measured.
     *
     * @param smallBytes of values in the smaller state
     * @param largeBytes of values in the larger one, eight times as much
     * @param steadyCheckpoints of each of them while its sessions stay
     * @param churnCheckpoints of the smaller one while sessions come and go
     */
    record Sizes(long smallBytes, long largeBytes, int steadyCheckpoints, int churnCheckpoints) {}

    Uploads(WorkFolder work, KvBlockLayout layout, Sizes sizes, Progress progress) {
        this.work = requireNonNull(work, "work");
        this.layout = requireNonNull(layout, "layout");
        this.sizes = requireNonNull(sizes, "sizes");
        this.progress = requireNonNull(progress, "progress");
    }

    void measure(BenchReport report) throws Exception {
        UploadLedger small;
        UploadLedger churn;
        work.requireSpace("the state of the upload measurement", (long) (DISK_COPIES * sizes.largeBytes()));
        try (SyntheticJob job = start("small", sizes.smallBytes())) {
            fill(job, "small", sizes.smallBytes(), report);
            small = steady(job, "steady, " + gibibytes(sizes.smallBytes()));
            churn = churn(job);
            report.addFigure("churn_merged_mb", Figure.of("MB", job.mergedBytes() / 1e6));
            report.addFigure("churn_files", Figure.of("count", job.files()));
        }
        UploadLedger large;
        try (SyntheticJob job = start("large", sizes.largeBytes())) {
            fill(job, "large", sizes.largeBytes(), report);
            large = steady(job, "steady, " + gibibytes(sizes.largeBytes()));
            report.addFigure("large_files", Figure.of("count", job.files()));
        }
        add(report, "small_steady", small);
        add(report, "large_steady", large);
        add(report, "churn", churn);
        report.addFigure(
                "disk_over_live",
                new Figure(
                        "ratio",
                        List.of(Math.max(
                                churn.worstDiskOverLive(),
                                Math.max(small.worstDiskOverLive(), large.worstDiskOverLive()))),
                        List.of()));
        report.addRatio("uploaded_over_new", Math.max(small.uploadedOverNew(), large.uploadedOverNew()));
        report.addRatio("uploaded_over_new_churn", churn.uploadedOverNew());
        report.addRatio("upload_8gib_over_1gib", large.meanUploadedBytes() / small.meanUploadedBytes());
        report.addNote(String.format(
                Locale.ROOT,
                "Uploads were measured with states of %s and %s, %d steady checkpoints of each, and %d with sessions"
                        + " coming and going.",
                gibibytes(sizes.smallBytes()),
                gibibytes(sizes.largeBytes()),
                sizes.steadyCheckpoints(),
                sizes.churnCheckpoints()));
    }

    private SyntheticJob start(String name, long bytes) throws Exception {
        // The device keeps every block that there ever is: it makes them up, and has no memory to run out of.
        long grown = (long) (sizes.steadyCheckpoints() + sizes.churnCheckpoints())
                * (GROWING_SESSIONS * GROWN_BLOCKS + blocksOfASession(bytes));
        return new SyntheticJob(work, name, layout, (int) (2 * (SESSIONS * blocksOfASession(bytes) + grown)), SEED);
    }

    private int blocksOfASession(long stateBytes) {
        return Math.toIntExact(stateBytes / SESSIONS / (BlockValue.HEADER_BYTES + layout.blockBytes()));
    }

    private void fill(SyntheticJob job, String name, long bytes, BenchReport report) throws Exception {
        long begin = System.nanoTime();
        job.open(SESSIONS, blocksOfASession(bytes));
        double writeSeconds = (System.nanoTime() - begin) / 1e9;
        job.checkAllStored();
        long written = job.writtenBytes();
        begin = System.nanoTime();
        UploadLedger.Entry first = job.checkpoint(written);
        double uploadSeconds = (System.nanoTime() - begin) / 1e9;
        report.addFigure(name + "_fill_mb_per_second", Figure.of("MB/s", written / 1e6 / writeSeconds));
        report.addFigure(name + "_first_upload_mb", Figure.of("MB", first.uploadedBytes() / 1e6));
        report.addFigure(
                name + "_first_upload_mb_per_second", Figure.of("MB/s", first.uploadedBytes() / 1e6 / uploadSeconds));
        progress.say(String.format(
                Locale.ROOT,
                "a state of %s in %d sessions: written in %.1f s, first checkpoint %.1f s",
                gibibytes(first.liveBytes()),
                SESSIONS,
                writeSeconds,
                uploadSeconds));
    }

    private UploadLedger steady(SyntheticJob job, String what) throws Exception {
        UploadLedger ledger = new UploadLedger();
        for (int checkpoint = 0; checkpoint < sizes.steadyCheckpoints(); checkpoint++) {
            interval(job, false, ledger);
        }
        job.checkAllStored();
        say(what, ledger);
        return ledger;
    }

    private UploadLedger churn(SyntheticJob job) throws Exception {
        UploadLedger ledger = new UploadLedger();
        for (int checkpoint = 0; checkpoint < sizes.churnCheckpoints(); checkpoint++) {
            interval(job, checkpoint % CHURN_EVERY == 0, ledger);
        }
        job.checkAllStored();
        say("sessions coming and going", ledger);
        return ledger;
    }

    private void interval(SyntheticJob job, boolean replacesASession, UploadLedger ledger) throws Exception {
        long before = job.writtenBytes();
        if (replacesASession) {
            job.closeOne();
            job.open(1, blocksOfASession(sizes.smallBytes()));
        }
        job.growSome(GROWING_SESSIONS, GROWN_BLOCKS);
        ledger.add(job.checkpoint(job.writtenBytes() - before));
    }

    private void say(String what, UploadLedger ledger) {
        progress.say(String.format(
                Locale.ROOT,
                "%s: %d checkpoints, %.1f MB new and %.1f MB uploaded each (%.3f), disk over live at most %.2f",
                what,
                ledger.size(),
                ledger.meanNewBytes() / 1e6,
                ledger.meanUploadedBytes() / 1e6,
                ledger.uploadedOverNew(),
                ledger.worstDiskOverLive()));
    }

    private static void add(BenchReport report, String name, UploadLedger ledger) {
        report.addFigure(name + "_new_mb", Figure.of("MB", ledger.meanNewBytes() / 1e6));
        report.addFigure(name + "_uploaded_mb", new Figure("MB", ledger.uploadedMegabytes(), List.of()));
        report.addFigure(name + "_checkpoint_sync_ms", new Figure("ms", ledger.syncMs(), List.of()));
        report.addFigure(name + "_disk_over_live", Figure.of("ratio", ledger.worstDiskOverLive()));
    }

    private static String gibibytes(long bytes) {
        return String.format(Locale.ROOT, "%.2f GiB", bytes / GIBIBYTE);
    }
}
