package io.millrace.job.cluster;

import io.millrace.job.graph.JobConfiguration;
import io.millrace.job.graph.MillraceOptions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.TaskManagerOptions;

/** The settings of a cluster on one machine: those of {@code jobs-config}, the plan's, and where its parts are. */
final class ClusterSettings {
    private ClusterSettings() {}

    static Map<String, String> of(ClusterState state, Distribution distribution, ClusterFolder folder) {
        ClusterPlan plan = state.plan();
        Map<String, String> settings = new TreeMap<>(load(distribution, "session-cluster.yaml"));
        // Prometheus' port would be open to other machines; Flink's REST interface has the metrics too.
        settings.keySet().removeIf(key -> key.startsWith("metrics.reporter"));
        settings.putAll(folder.settings());
        if (plan.highAvailability()) {
            settings.putAll(load(distribution, "high-availability.yaml"));
            settings.put(
                    "high-availability.zookeeper.quorum", ClusterPorts.HOST + ":" + state.port(ClusterPorts.ZOOKEEPER));
        }
        settings.putAll(plan.settings());
        settings.putAll(addresses(state));
        parallelism(plan, settings);
        return settings;
    }

    private static Map<String, String> load(Distribution distribution, String name) {
        return JobConfiguration.load(distribution.conf(name)).toMap();
    }

    private static Map<String, String> addresses(ClusterState state) {
        Map<String, String> settings = new TreeMap<>();
        for (String key : new String[] {
            "jobmanager.rpc.address",
            "jobmanager.bind-host",
            "taskmanager.host",
            "taskmanager.bind-host",
            "rest.address",
            "rest.bind-address"
        }) {
            settings.put(key, ClusterPorts.HOST);
        }
        settings.put("jobmanager.rpc.port", Integer.toString(state.port(ClusterPorts.RPC)));
        settings.put("rest.port", Integer.toString(state.port(ClusterPorts.rest(1))));
        return settings;
    }

    /** As many subtasks as there are slots for, unless someone says. */
    private static void parallelism(ClusterPlan plan, Map<String, String> settings) {
        Configuration configuration = Configuration.fromMap(settings);
        int slots = plan.taskManagers() * configuration.get(TaskManagerOptions.NUM_TASK_SLOTS);
        if (configuration.get(MillraceOptions.DISAGGREGATION_ENABLED)) {
            // Half of them for Prefill.
            slots = Math.max(1, slots / 2);
        }
        for (ConfigOption<Integer> option : List.of(
                MillraceOptions.SOURCE_PARALLELISM,
                MillraceOptions.ROUTER_PARALLELISM,
                MillraceOptions.PREFILL_PARALLELISM,
                MillraceOptions.DECODE_PARALLELISM)) {
            settings.putIfAbsent(option.key(), Integer.toString(slots));
        }
    }
}
