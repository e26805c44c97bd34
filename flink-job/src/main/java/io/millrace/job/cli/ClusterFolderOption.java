package io.millrace.job.cli;

import io.millrace.job.cluster.ClusterProcesses;
import io.millrace.job.cluster.Distribution;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which cluster of this machine is meant: that of a folder. */
final class ClusterFolderOption {
    @Option(
            names = "--folder",
            paramLabel = "DIR",
            description = "The cluster's folder, with all that it keeps (default: $MILLRACE_HOME/cluster).")
    private @Nullable Path folder;

    /** The folder. */
    Path folder(Map<String, String> environment) {
        return folder == null ? MillraceHome.of(environment).cluster() : folder.toAbsolutePath();
    }

    /**
     * The cluster.
     *
     * @throws ServingException {@code INVALID_REQUEST} if the folder has none
     */
    ClusterProcesses find(Map<String, String> environment) {
        Path path = folder(environment);
        ClusterProcesses cluster = ClusterProcesses.find(path, Distribution.ofLauncher());
        if (cluster == null) {
            throw new ServingException(
                    ErrorCode.INVALID_REQUEST, "there is no cluster in " + path + "; ./millrace cluster up starts one");
        }
        return cluster;
    }
}
