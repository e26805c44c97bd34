package io.millrace.durability;

import java.time.Duration;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;

/** A cluster in this process on which one job runs after the other. */
public final class DurableCluster implements AutoCloseable {
    /** Slots of a TaskManager: the most that a job may be parallel, and a disaggregated one that has two of them. */
    public static final int SLOTS = 3;

    private final MiniCluster cluster;
    private final Configuration configuration;

    /**
     * Starts a cluster.
     *
     * @param managedMemory of all its slots together
     * @param options the cluster's, over those that it has anyhow
     */
    public DurableCluster(MemorySize managedMemory, Configuration options) throws Exception {
        this(managedMemory, options, 1);
    }

    /**
     * Starts a cluster of several TaskManagers, between which records go over the network.
     *
     * @param managedMemory of the slots of each
     * @param options the cluster's, over those that it has anyhow
     */
    public DurableCluster(MemorySize managedMemory, Configuration options, int taskManagers) throws Exception {
        configuration = new Configuration();
        configuration.set(RestOptions.BIND_PORT, "0");
        configuration.set(TaskManagerOptions.NETWORK_MEMORY_MIN, MemorySize.ofMebiBytes(16));
        configuration.set(TaskManagerOptions.NETWORK_MEMORY_MAX, MemorySize.ofMebiBytes(16));
        configuration.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, managedMemory);
        configuration.addAll(options);
        cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(taskManagers)
                .setNumSlotsPerTaskManager(SLOTS)
                .build());
        cluster.start();
    }

    /** Flink's side of it. */
    public MiniCluster flink() {
        return cluster;
    }

    /** Options of a job that is restarted at once and for ever, with checkpoints in short intervals. */
    public Configuration jobOptions(Duration checkpointInterval) {
        Configuration options = new Configuration(configuration);
        options.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, checkpointInterval);
        options.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
        options.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, Integer.MAX_VALUE);
        options.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofMillis(1));
        return options;
    }

    @Override
    public void close() throws Exception {
        cluster.close();
    }
}
