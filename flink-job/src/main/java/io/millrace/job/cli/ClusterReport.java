package io.millrace.job.cli;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.broker.JavaProcess;
import io.millrace.job.cluster.ClusterProcesses;
import io.millrace.job.cluster.ClusterRole;
import java.io.PrintStream;
import java.net.URI;
import java.util.Optional;

/** A cluster on this machine, for people. */
final class ClusterReport {
    private final ClusterProcesses cluster;
    private final PrintStream out;

    ClusterReport(ClusterProcesses cluster, PrintStream out) {
        this.cluster = requireNonNull(cluster, "cluster");
        this.out = requireNonNull(out, "out");
    }

    /** Where everything is, and how to use it. */
    void announce() {
        out.println();
        status();
        if (!cluster.gatewayUris().isEmpty() && cluster.jobId() != null) {
            out.printf(
                    "%nTry:%n%n  curl -N %s/v1/chat/completions -H 'Content-Type: application/json' -d '"
                            + "{\"model\":\"%s\",\"stream\":true,\"max_tokens\":64,"
                            + "\"messages\":[{\"role\":\"user\",\"content\":\"What is a mill race?\"}]}'%n",
                    cluster.gatewayUris().get(0), cluster.modelName());
        }
        out.printf("%n./millrace cluster down stops it and keeps all of its sessions.%n");
        out.flush();
    }

    /**
     * Prints what runs.
     *
     * @return whether all does
     */
    boolean status() {
        boolean all = true;
        for (ClusterRole role : cluster.roles()) {
            Optional<JavaProcess> process = cluster.process(role);
            all &= process.isPresent();
            out.printf(
                    "  %-15s %-18s %s%n",
                    role.label(),
                    process.map(running -> "process " + running.pid()).orElse("has ended"),
                    address(role));
        }
        out.printf("  %-15s %s%n", "job", cluster.jobId() == null ? "none" : cluster.jobId());
        out.printf("  %-15s %s%n", "folder", cluster.folder() + " (conf, logs, checkpoints, savepoints)");
        out.flush();
        return all;
    }

    private String address(ClusterRole role) {
        return switch (role.kind()) {
            case KAFKA -> cluster.bootstrapServers();
            case JOBMANAGER -> cluster.restUri(role.number()) + " (web interface and REST)";
            case GATEWAY -> gateway(role);
            case ZOOKEEPER, TASKMANAGER -> "";
        };
    }

    private String gateway(ClusterRole role) {
        URI uri = cluster.gatewayUris().get(role.number() - 1);
        return uri.toString();
    }
}
