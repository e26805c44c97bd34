package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.BenchReport;
import io.millrace.bench.Figure;
import io.millrace.bench.Progress;
import io.millrace.kv.BlockValue;
import io.millrace.kv.KvBlockLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/** Rates of writing and reading blocks in RocksDB beside a plain file on the same disk, in turns. */
final class StoreRates {
    private static final String NAME = "rates";
    private static final int MANAGED_MEBIBYTES = 256;
    private static final int COPIES_ON_DISK = 3;

    private final WorkFolder work;
    private final int runs;
    private final int blocks;
    private final Progress progress;

    /**
     * A measurement.
     *
     * @param runs that count, of each side
     * @param blocks of a run
     */
    StoreRates(WorkFolder work, int runs, int blocks, Progress progress) {
        this.work = requireNonNull(work, "work");
        this.runs = runs;
        this.blocks = blocks;
        this.progress = requireNonNull(progress, "progress");
    }

    void measure(KvBlockLayout layout, BenchReport report) throws Exception {
        StoreRatesOperator.Sizes sizes =
                new StoreRatesOperator.Sizes(runs, blocks, BlockValue.HEADER_BYTES + layout.blockBytes());
        work.requireSpace("writing blocks at full speed", COPIES_ON_DISK * (runs + 1) * sizes.runBytes());
        Configuration configuration = JobSettings.embedded(work, NAME, MANAGED_MEBIBYTES);
        // A job that ends waits for its last checkpoint, which would be a day away.
        configuration.removeConfig(CheckpointingOptions.CHECKPOINTING_INTERVAL);
        Path file = work.folder(NAME).resolve("plain");
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.createLocalEnvironment(1, configuration);
        environment
                .fromSequence(1, 1)
                .keyBy(number -> number, Types.LONG)
                .transform(NAME, Types.LONG, new StoreRatesOperator(NAME, sizes, file))
                .sinkTo(new DiscardingSink<>());
        environment.execute(NAME);
        StoreRatesOperator.Rates rates = StoreRatesOperator.take(NAME);
        double write = add(report, "write", rates.write());
        double read = add(report, "read", rates.diskRead());
        add(report, "cached_read", rates.cachedRead());
        report.addRatio("rocksdb_write_over_file", write);
        report.addRatio("rocksdb_read_over_file", read);
        if (!rates.store().equals("rocksdb")) {
            report.addNote("The store of blocks was not RocksDB's but: " + rates.store());
        }
        progress.say(String.format(
                Locale.ROOT,
                "%d blocks through RocksDB: %.0f MB/s written, %.0f MB/s read; %.2f and %.2f of a plain file",
                blocks,
                Figure.median(rates.write().store()),
                Figure.median(rates.diskRead().store()),
                write,
                read));
    }

    private static double add(BenchReport report, String what, StoreRatesOperator.Pair rates) {
        report.addFigure("rocksdb_" + what + "_mb_per_second", new Figure("MB/s", rates.store(), List.of()));
        report.addFigure("file_" + what + "_mb_per_second", new Figure("MB/s", rates.file(), List.of()));
        return Figure.median(rates.store()) / Figure.median(rates.file());
    }
}
