package io.millrace.job.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a cluster on one machine is made of.
 *
 * @param taskManagers how many
 * @param jobManagers how many; more than one only with high availability
 * @param gateways how many
 * @param highAvailability whether JobManagers recover what others ran, by ZooKeeper
 * @param kafka whether it has a broker
 * @param job whether Millrace's job is submitted to it
 * @param settings Flink's options and Millrace's, over those of {@code jobs-config}; no addresses
 * @param classPath what Flink's processes have in their class path before the distribution
 * @param ports fixed ones by their names ({@code rest-1}, {@code gateway-1}); others are any free ones
 */
public record ClusterPlan(
        int taskManagers,
        int jobManagers,
        int gateways,
        boolean highAvailability,
        boolean kafka,
        boolean job,
        Map<String, String> settings,
        List<String> classPath,
        Map<String, Integer> ports) {
    private static final int PROCESSES_MAX = 64;

    public ClusterPlan {
        count("task managers", taskManagers, 1);
        count("job managers", jobManagers, 1);
        count("gateways", gateways, 0);
        settings = Map.copyOf(requireNonNull(settings, "settings"));
        classPath = List.copyOf(classPath);
        ports = Map.copyOf(ports);
        if (jobManagers > 1 && !highAvailability) {
            throw invalid("more than one JobManager needs high availability");
        }
        if (gateways > 0 && !kafka) {
            throw invalid("gateways need Kafka");
        }
    }

    /** Two TaskManagers, a gateway, a broker, and the job on them. */
    public static ClusterPlan standard() {
        return new ClusterPlan(2, 1, 1, false, true, true, Map.of(), List.of(), Map.of());
    }

    /** The same with so many processes. */
    public ClusterPlan withProcesses(int newTaskManagers, int newGateways) {
        return new ClusterPlan(
                newTaskManagers, jobManagers, newGateways, highAvailability, kafka, job, settings, classPath, ports);
    }

    /** The same with high availability and so many JobManagers. */
    public ClusterPlan withHighAvailability(int newJobManagers) {
        return new ClusterPlan(taskManagers, newJobManagers, gateways, true, kafka, job, settings, classPath, ports);
    }

    /** The same without a job: whoever wants one submits it. */
    public ClusterPlan withoutJob() {
        return new ClusterPlan(
                taskManagers, jobManagers, gateways, highAvailability, kafka, false, settings, classPath, ports);
    }

    /** Flink alone: no broker, no gateways, no job. */
    public ClusterPlan flinkOnly() {
        return new ClusterPlan(
                taskManagers, jobManagers, 0, highAvailability, false, false, settings, classPath, ports);
    }

    /** The same with settings over those it has. */
    public ClusterPlan withSettings(Map<String, String> more) {
        Map<String, String> joined = new LinkedHashMap<>(settings);
        joined.putAll(more);
        return new ClusterPlan(
                taskManagers, jobManagers, gateways, highAvailability, kafka, job, joined, classPath, ports);
    }

    /** The same with more in front of the class path of Flink's processes. */
    public ClusterPlan withClassPath(List<String> first) {
        return new ClusterPlan(
                taskManagers, jobManagers, gateways, highAvailability, kafka, job, settings, first, ports);
    }

    /** The same with a fixed port. */
    public ClusterPlan withPort(String name, int port) {
        Map<String, Integer> fixed = new TreeMap<>(ports);
        fixed.put(name, port);
        return new ClusterPlan(
                taskManagers, jobManagers, gateways, highAvailability, kafka, job, settings, classPath, fixed);
    }

    private static void count(String what, int count, int min) {
        if (count < min || count > PROCESSES_MAX) {
            throw invalid("the number of " + what + " must be from " + min + " to " + PROCESSES_MAX + ": " + count);
        }
    }

    private static ServingException invalid(String message) {
        return new ServingException(ErrorCode.INVALID_REQUEST, message);
    }
}
