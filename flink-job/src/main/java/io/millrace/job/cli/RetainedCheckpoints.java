package io.millrace.job.cli;

import io.millrace.job.client.SavepointPath;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** The checkpoints that jobs of {@code serve} have left behind. */
final class RetainedCheckpoints {
    /** Jobs whose checkpoints stay. */
    static final int JOBS_MAX = 4;

    private static final int FOLDERS_MAX = 10_000;

    private RetainedCheckpoints() {}

    /** Whether a job's folder has a checkpoint that can be resumed. */
    static boolean hasAny(String jobFolder) {
        if (jobFolder.isEmpty()) {
            return false;
        }
        try {
            SavepointPath.find(jobFolder);
            return true;
        } catch (ServingException e) {
            return false;
        }
    }

    /**
     * Deletes the oldest jobs' folders in the home's own folder of checkpoints until there are {@link #JOBS_MAX}. Those
     * of processes that run stay.
     */
    static void prune(MillraceHome home) throws IOException {
        if (!Files.isDirectory(home.checkpoints())) {
            return;
        }
        Set<String> inUse = new HashSet<>();
        for (ServeRecord record : ServeRecord.all(home)) {
            inUse.add(name(record.checkpoints()));
        }
        Map<Path, FileTime> times = new HashMap<>();
        try (Stream<Path> folders = Files.list(home.checkpoints())) {
            for (Path folder : folders.limit(FOLDERS_MAX).toList()) {
                // A job's folder is named by its id; nothing else is touched.
                if (folder.getFileName().toString().matches("[0-9a-f]{32}")
                        && !inUse.contains(folder.getFileName().toString())) {
                    times.put(folder, Files.getLastModifiedTime(folder));
                }
            }
        }
        List<Path> newestFirst = new ArrayList<>(times.keySet());
        newestFirst.sort(
                Comparator.comparing((Path folder) -> times.get(folder)).reversed());
        for (Path folder : newestFirst.subList(Math.min(JOBS_MAX, newestFirst.size()), newestFirst.size())) {
            delete(folder);
        }
    }

    private static String name(String folder) {
        String plain = folder.endsWith("/") ? folder.substring(0, folder.length() - 1) : folder;
        return plain.substring(plain.lastIndexOf('/') + 1);
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
