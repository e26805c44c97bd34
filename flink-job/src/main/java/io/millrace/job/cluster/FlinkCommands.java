package io.millrace.job.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.kafka.broker.JavaCommand;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessSpec;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;
import org.apache.flink.runtime.jobmanager.JobManagerProcessSpec;
import org.apache.flink.runtime.jobmanager.JobManagerProcessUtils;
import org.apache.flink.runtime.util.config.memory.ProcessMemoryUtils;

/** How Flink's processes are started: as its own scripts do, with the sizes of memory that follow from the settings. */
final class FlinkCommands {
    private static final String JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint";
    private static final String TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner";

    private final ClusterFolder folder;
    private final List<String> classPath;
    private final Configuration settings;

    FlinkCommands(ClusterFolder folder, Distribution distribution, ClusterPlan plan, Map<String, String> settings) {
        this.folder = requireNonNull(folder, "folder");
        this.classPath = new ArrayList<>(plan.classPath());
        classPath.addAll(distribution.flinkClassPath());
        this.settings = Configuration.fromMap(settings);
    }

    JavaCommand jobManager(ClusterRole role, int restPort) {
        JobManagerProcessSpec memory = JobManagerProcessUtils.processSpecFromConfig(settings);
        List<String> jvm = words(JobManagerProcessUtils.generateJvmParametersStr(memory, settings));
        // It only coordinates: it is faster ready without the optimising compiler, and leaves the processors to others.
        jvm.add("-XX:TieredStopAtLevel=1");
        jvm.addAll(words(settings.getString("env.java.opts.jobmanager", "")));
        List<String> arguments = words(JobManagerProcessUtils.generateDynamicConfigsStr(memory));
        arguments.add("-Drest.port=" + restPort);
        arguments.add("-Drest.bind-port=" + restPort);
        arguments.add("-Djobmanager.resource-id=" + role.label());
        return command(role, JOB_MANAGER, jvm, arguments);
    }

    JavaCommand taskManager(ClusterRole role) {
        TaskExecutorProcessSpec memory = TaskExecutorProcessUtils.processSpecFromConfig(settings);
        List<String> jvm = words(ProcessMemoryUtils.generateJvmParametersStr(memory));
        jvm.addAll(words(settings.getString("env.java.opts.taskmanager", "")));
        List<String> arguments = words(TaskExecutorProcessUtils.generateDynamicConfigsStr(memory));
        // One that takes another's place is known for it.
        arguments.add("-Dtaskmanager.resource-id=" + role.label());
        return command(role, TASK_MANAGER, jvm, arguments);
    }

    private JavaCommand command(ClusterRole role, String mainClass, List<String> jvm, List<String> arguments) {
        List<String> allJvm = new ArrayList<>(jvm);
        allJvm.addAll(words(settings.getString("env.java.opts.all", "")));
        allJvm.add("-Dlog4j.configurationFile=" + folder.loggingFile());
        // Where Flink's web interface finds it.
        allJvm.add("-Dlog.file=" + folder.log(role));
        List<String> all = new ArrayList<>(List.of("--configDir", folder.conf().toString()));
        all.addAll(arguments);
        // Its own, so that what a killed process left there goes when its place is taken.
        all.add("-Dio.tmp.dirs=" + folder.temporary(role));
        return new JavaCommand(classPath, mainClass, allJvm, all, Map.of(), folder.work(role), folder.log(role));
    }

    private static List<String> words(String line) {
        String stripped = line.strip();
        return stripped.isEmpty() ? new ArrayList<>() : new ArrayList<>(Arrays.asList(stripped.split("\\s+")));
    }
}
