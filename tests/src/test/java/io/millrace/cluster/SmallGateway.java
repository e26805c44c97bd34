package io.millrace.cluster;

import io.millrace.connector.kafka.broker.JavaCommand;
import io.millrace.connector.kafka.broker.JavaProcess;
import io.millrace.job.cluster.ClusterProcesses;
import io.millrace.job.cluster.Distribution;
import io.millrace.tidy.SourceTree;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A gateway of a cluster's that takes few requests at a time. */
record SmallGateway(JavaProcess process, URI uri) implements AutoCloseable {
    /** Starts one and waits until it is ready. */
    static SmallGateway start(ClusterProcesses cluster, String name, int openRequests) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + StandaloneCluster.freePort());
        Path folder = cluster.folder().resolve("work").resolve(name);
        JavaCommand command = JavaCommand.of(
                        Distribution.in(SourceTree.root()).commandClassPath(),
                        "io.millrace.job.cli.GatewayCommand",
                        folder,
                        folder.resolve("gateway.log"))
                .withJvmArguments(List.of("-Xmx512m"))
                .withArguments(List.of(
                        "--bootstrap-servers",
                        cluster.bootstrapServers(),
                        "--port",
                        Integer.toString(uri.getPort()),
                        "--model",
                        cluster.modelName(),
                        "--open-requests",
                        Integer.toString(openRequests)));
        SmallGateway gateway = new SmallGateway(JavaProcess.start("gateway " + name, command), uri);
        gateway.process.awaitReady(gateway::isReady, Duration.ofSeconds(90));
        return gateway;
    }

    private boolean isReady() throws java.io.IOException {
        HttpURLConnection connection =
                (HttpURLConnection) uri.resolve("/health/ready").toURL().openConnection();
        return connection.getResponseCode() == HttpURLConnection.HTTP_OK;
    }

    @Override
    public void close() {
        process.close();
    }
}
