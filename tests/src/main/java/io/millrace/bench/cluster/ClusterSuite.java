package io.millrace.bench.cluster;

import io.millrace.bench.BenchReport;
import io.millrace.bench.BenchSettings;
import io.millrace.bench.BenchSuite;
import io.millrace.bench.Figure;
import io.millrace.bench.InProcessFlink;
import io.millrace.bench.Progress;
import io.millrace.bench.durability.WorkFolder;
import io.millrace.connector.local.LocalPort;
import io.millrace.connector.local.LocalSink;
import io.millrace.connector.local.LocalSource;
import io.millrace.connector.port.RequestPort;
import io.millrace.gateway.Gateway;
import io.millrace.gateway.GatewayOptions;
import io.millrace.job.cluster.ClusterPlan;
import io.millrace.job.cluster.ClusterProcesses;
import io.millrace.job.cluster.Distribution;
import io.millrace.job.graph.MillraceJob;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;

/** What is between the engine and clients on a cluster, and what a failure costs. */
public final class ClusterSuite implements BenchSuite {
    private static final String LOCAL_PORT = "bench-cluster";
    private static final long POLL_MS = 10;
    /** Prompts of 2,000 tokens in a run of the hand-over. */
    private static final int HANDOVER_PROMPTS = 8;
    /** Of each of the outage's turns: at 20 ms each 30 s, and the outage itself. */
    private static final int OUTAGE_TOKENS = 1500;

    /** Makes the suite. */
    public ClusterSuite() {}

    @Override
    public String name() {
        return "cluster";
    }

    @Override
    public String description() {
        return "Kafka in and out on a cluster: the way of a token, what the transport carries, an outage, a hand-over";
    }

    @Override
    public BenchReport run(BenchSettings settings, Progress progress) throws Exception {
        BenchReport report = new BenchReport(name());
        report.addCommand("./millrace bench cluster" + (settings.quick() ? " --quick" : "")
                + (settings.only().isEmpty() ? "" : " --only " + String.join(",", settings.only())));
        try (WorkFolder work = WorkFolder.make(settings.root().resolve("target/bench-work"))) {
            if (settings.wants("path")) {
                path(settings, work, progress, report);
            }
            if (settings.wants("chunks")) {
                chunks(settings, work, progress, report);
            }
            if (settings.wants("outage")) {
                outage(settings, work, progress, report);
            }
            if (settings.wants("handover")) {
                handover(settings, progress, report);
            }
        }
        return report;
    }

    private static void handover(BenchSettings settings, Progress progress, BenchReport report) throws Exception {
        HandoverSpeed speed = new HandoverSpeed(progress);
        Figure copied = speed.overTcp(settings.quick() ? 4 : 8, HANDOVER_PROMPTS);
        report.addFigure("handover_block_bytes", copied);
        List<Double> ratios = new ArrayList<>();
        for (int run = 0; run < copied.runs().size(); run++) {
            ratios.add(copied.runs().get(run) / copied.peerRuns().get(run));
        }
        report.addFigure("handover_over_tcp", new Figure("ratio", ratios, List.of()));
        report.addFigure(
                "handover_hidden_share",
                speed.hiddenShare(settings.model(), settings.threads(), settings.quick() ? 1 : 3));
        report.addNote("The hand-over is between two TaskManagers of one process, over TCP; its peer is a plain copy of"
                + " as many blocks over loopback.");
    }

    private static void path(BenchSettings settings, WorkFolder work, Progress progress, BenchReport report)
            throws Exception {
        TokenPath.Sizes sizes = settings.quick() ? new TokenPath.Sizes(2, 1000) : new TokenPath.Sizes(5, 2000);
        // Different seeds are different models: each job has an engine of its own.
        Configuration kafkaJob = SimModel.configuration(work.folder("path-kafka"), Map.of("seed", "1"));
        Configuration localJob = SimModel.configuration(work.folder("path-local"), Map.of("seed", "2"));
        TimedModel kafkaModel = new TimedModel(MillraceJob.servedModel(kafkaJob), sizes.tokens());
        TimedModel localModel = new TimedModel(MillraceJob.servedModel(localJob), sizes.tokens());
        try (KafkaStack kafka = new KafkaStack(settings, work.folder("path-broker"), kafkaJob, kafkaModel);
                LocalPort local = LocalPort.open(LOCAL_PORT, MillraceJob.portOptions(localJob));
                InProcessFlink flink = InProcessFlink.start(
                        localJob,
                        (environment, all) -> MillraceJob.define(
                                environment, all, localModel, new LocalSource(LOCAL_PORT), new LocalSink(LOCAL_PORT)));
                Gateway kafkaGateway = gateway(kafka.port());
                Gateway localGateway = gateway(local)) {
            while (!local.isReady()) {
                Thread.sleep(POLL_MS);
            }
            new TokenPath(sizes, progress)
                    .measure(
                            new TokenPath.Path("through Kafka", uri(kafkaGateway)),
                            new TokenPath.Path("in the process", uri(localGateway)),
                            report);
        }
    }

    private static void chunks(BenchSettings settings, WorkFolder work, Progress progress, BenchReport report)
            throws Exception {
        Configuration job = SimModel.configuration(work.folder("chunks"), SimModel.NO_TIME);
        ChunkRate.Sizes sizes = settings.quick()
                ? new ChunkRate.Sizes(3, 6, 64, 2000, 2000)
                : new ChunkRate.Sizes(8, 7, 64, 4000, 5000);
        try (KafkaStack kafka =
                new KafkaStack(settings, work.folder("chunks-broker"), job, MillraceJob.servedModel(job))) {
            new ChunkRate(sizes, progress).measure(kafka.port(), report);
        }
    }

    private static void outage(BenchSettings settings, WorkFolder work, Progress progress, BenchReport report)
            throws Exception {
        // A step every 20 ms and more, as of a model that is worth a cluster.
        Map<String, String> device = Map.of("decode_constant_ms", "20");
        ClusterPlan plan = ClusterPlan.standard()
                .withSettings(SimModel.options(SimModel.file(work.folder("outage-model")), device));
        try (ClusterProcesses cluster =
                ClusterProcesses.up(work.folder("outage"), plan, Distribution.in(settings.root()), progress::say)) {
            new Outage(OUTAGE_TOKENS, progress).measure(cluster, settings.quick() ? 1 : 5, report);
        }
    }

    private static Gateway gateway(RequestPort port) {
        Gateway gateway = new Gateway(GatewayOptions.of(SimModel.NAME).withAddress("127.0.0.1", 0), port);
        gateway.start();
        return gateway;
    }

    private static URI uri(Gateway gateway) {
        return URI.create("http://127.0.0.1:" + gateway.port());
    }
}
