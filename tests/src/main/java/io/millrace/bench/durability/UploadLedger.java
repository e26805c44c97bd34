package io.millrace.bench.durability;

import java.util.ArrayList;
import java.util.List;

/** What checkpoints uploaded beside what was new since the one before, and what the disk held beside what was alive. */
final class UploadLedger {
    private final List<Entry> entries = new ArrayList<>();

    /**
     * One checkpoint.
     *
     * @param newBytes of values that were written since the checkpoint before
     * @param uploadedBytes of the checkpoint, without what it shares with those before
     * @param liveBytes of values that sessions have
     * @param diskBytes of the state backend's files
     * @param syncMs that the task stood still for it
     */
    record Entry(long newBytes, long uploadedBytes, long liveBytes, long diskBytes, long syncMs) {}

    void add(Entry entry) {
        entries.add(entry);
    }

    /** Uploaded bytes over new ones, of all checkpoints together; NaN if nothing was new. */
    double uploadedOverNew() {
        long fresh = entries.stream().mapToLong(Entry::newBytes).sum();
        long uploaded = entries.stream().mapToLong(Entry::uploadedBytes).sum();
        return fresh == 0 ? Double.NaN : (double) uploaded / fresh;
    }

    /** Mean bytes that a checkpoint uploaded. */
    double meanUploadedBytes() {
        return entries.stream().mapToLong(Entry::uploadedBytes).average().orElse(Double.NaN);
    }

    /** Mean bytes that were new to a checkpoint. */
    double meanNewBytes() {
        return entries.stream().mapToLong(Entry::newBytes).average().orElse(Double.NaN);
    }

    /** The largest share of disk to live bytes that a checkpoint saw; NaN if none saw live bytes. */
    double worstDiskOverLive() {
        return entries.stream()
                .filter(entry -> entry.liveBytes() > 0)
                .mapToDouble(entry -> (double) entry.diskBytes() / entry.liveBytes())
                .max()
                .orElse(Double.NaN);
    }

    /** Each checkpoint's time in the task, in milliseconds. */
    List<Double> syncMs() {
        return entries.stream().map(entry -> (double) entry.syncMs()).toList();
    }

    /** Each checkpoint's uploaded bytes, in MB. */
    List<Double> uploadedMegabytes() {
        return entries.stream().map(entry -> entry.uploadedBytes() / 1e6).toList();
    }

    /** Number of checkpoints. */
    int size() {
        return entries.size();
    }
}
