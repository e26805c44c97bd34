package io.millrace.job.cluster;

import static java.util.Objects.requireNonNull;

import java.util.Locale;

/**
 * What one of a cluster's processes is for.
 *
 * @param kind of process
 * @param number from 1, among those of its kind
 */
public record ClusterRole(Kind kind, int number) {
    /** The broker. */
    public static final ClusterRole KAFKA = new ClusterRole(Kind.KAFKA, 1);
    /** ZooKeeper. */
    public static final ClusterRole ZOOKEEPER = new ClusterRole(Kind.ZOOKEEPER, 1);

    /** The kinds of processes, in the order in which they are started. */
    public enum Kind {
        /** The broker; there is one. */
        KAFKA,
        /** What JobManagers agree through; there is one, or none. */
        ZOOKEEPER,
        /** Flink's JobManager. */
        JOBMANAGER,
        /** Flink's TaskManager. */
        TASKMANAGER,
        /** Millrace's HTTP interface. */
        GATEWAY
    }

    public ClusterRole {
        requireNonNull(kind, "kind");
        if (number < 1) {
            throw new IllegalArgumentException("number must be positive: " + number);
        }
    }

    /** A JobManager. */
    public static ClusterRole jobManager(int number) {
        return new ClusterRole(Kind.JOBMANAGER, number);
    }

    /** A TaskManager. */
    public static ClusterRole taskManager(int number) {
        return new ClusterRole(Kind.TASKMANAGER, number);
    }

    /** A gateway. */
    public static ClusterRole gateway(int number) {
        return new ClusterRole(Kind.GATEWAY, number);
    }

    /** Its name, in files and for people, such as {@code taskmanager-2}. */
    public String label() {
        String name = kind.name().toLowerCase(Locale.ROOT);
        return kind == Kind.KAFKA || kind == Kind.ZOOKEEPER ? name : name + "-" + number;
    }
}
