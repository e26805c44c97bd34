package io.millrace.bench.durability;

import io.millrace.bench.BenchReport;
import io.millrace.bench.BenchSettings;
import io.millrace.bench.BenchSuite;
import io.millrace.bench.Progress;
import io.millrace.kv.KvBlockLayout;

/** What durable sessions cost, and what they save. */
public final class DurabilitySuite implements BenchSuite {
    /** The layout of the demo model's blocks, wherever blocks of no model are moved. */
    private static final KvBlockLayout LAYOUT = new KvBlockLayout(30, 3, 64, 32);

    private static final long GIBIBYTE = 1L << 30;

    @Override
    public String name() {
        return "durability";
    }

    @Override
    public String description() {
        return "tiers, checkpoints and recovery: what they cost, and what they save";
    }

    @Override
    public BenchReport run(BenchSettings settings, Progress progress) throws Exception {
        BenchReport report = new BenchReport(name());
        report.addCommand("./millrace bench durability" + (settings.quick() ? " --quick" : "")
                + (settings.only().isEmpty() ? "" : " --only " + String.join(",", settings.only())) + " --threads "
                + settings.threads() + " --model " + settings.model().getFileName());
        boolean quick = settings.quick();
        try (WorkFolder work = WorkFolder.make(settings.root().resolve("target/bench-work"))) {
            if (settings.wants("rates")) {
                new StoreRates(work, quick ? 3 : 7, quick ? 32 : 64, progress).measure(LAYOUT, report);
            }
            if (settings.wants("uploads")) {
                Uploads.Sizes sizes = quick
                        ? new Uploads.Sizes(GIBIBYTE / 8, GIBIBYTE, 6, 20)
                        : new Uploads.Sizes(GIBIBYTE, 8 * GIBIBYTE, 20, 100);
                new Uploads(work, LAYOUT, sizes, progress).measure(report);
            }
            if (settings.wants("next-turn")) {
                NextTurn.Sizes sizes = quick ? new NextTurn.Sizes(4000, 1, 2) : new NextTurn.Sizes(4000, 3, 3);
                new NextTurn(settings, work, sizes, progress).measure(report);
            }
            if (settings.wants("latency")) {
                DecodeLatency.Sizes sizes = quick ? new DecodeLatency.Sizes(1, 3000) : new DecodeLatency.Sizes(5, 6000);
                new DecodeLatency(settings, work, sizes, progress).measure(report);
            }
            if (settings.wants("recovery")) {
                new Recovery(settings, work, quick ? 1 : 3, progress).measure(report);
            }
        }
        return report;
    }
}
