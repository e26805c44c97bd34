package io.millrace.job.client;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.fs.Path;
import org.jspecify.annotations.Nullable;

/** Finds savepoints and retained checkpoints: the folders that hold Flink's file {@code _metadata}. */
public final class SavepointPath {
    private static final String METADATA = "_metadata";

    /** Below the folder that is named: a job's folder and its checkpoint's. */
    private static final int DEPTH_MAX = 2;

    /** Folders are looked into in the order of their listing; no sensible folder has more. */
    private static final int FOLDERS_MAX = 10_000;

    private SavepointPath() {}

    /**
     * A folder as Flink names it: what has no scheme is a path of this machine.
     *
     * @throws ServingException {@code INVALID_REQUEST} if it is neither
     */
    public static String absolute(String folder) {
        if (folder.isBlank()) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, "the name of a folder is empty");
        }
        try {
            URI uri = new URI(folder);
            if (uri.getScheme() != null) {
                return folder;
            }
        } catch (URISyntaxException e) {
            // A plain path may have any character.
        }
        return java.nio.file.Path.of(folder)
                .toAbsolutePath()
                .normalize()
                .toUri()
                .toString();
    }

    /** A folder as people write it: a path, if it is one of this machine. */
    public static String display(String folder) {
        try {
            URI uri = new URI(folder);
            return "file".equals(uri.getScheme()) && uri.getPath() != null ? uri.getPath() : folder;
        } catch (URISyntaxException e) {
            return folder;
        }
    }

    /**
     * The savepoint or checkpoint that a person means: the folder itself, the folder of its {@code _metadata}, or else
     * the newest one in it, in its checkpoints ({@code chk-7}) or in those of the jobs in it.
     *
     * @throws ServingException {@code INVALID_REQUEST} saying what is not there
     */
    public static String find(String folder) {
        Path path = new Path(absolute(folder));
        try {
            FileSystem files = path.getFileSystem();
            FileStatus status = files.getFileStatus(path);
            if (!status.isDir()) {
                if (path.getName().equals(METADATA)) {
                    return path.getParent().toString();
                }
                throw invalid(folder, "is no folder, and no file " + METADATA);
            }
            FileStatus newest = newest(files, path, DEPTH_MAX);
            if (newest == null) {
                throw invalid(
                        folder,
                        "holds no savepoint and no completed checkpoint: there is no file " + METADATA
                                + " in it, nor in the folders of checkpoints in it");
            }
            return newest.getPath().getParent().toString();
        } catch (FileNotFoundException e) {
            throw invalid(folder, "is not there");
        } catch (IOException e) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, folder + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static @Nullable FileStatus newest(FileSystem files, Path folder, int depth) throws IOException {
        Path metadata = new Path(folder, METADATA);
        if (files.exists(metadata)) {
            return files.getFileStatus(metadata);
        }
        FileStatus newest = null;
        FileStatus[] children = depth == 0 ? new FileStatus[0] : files.listStatus(folder);
        for (int i = 0; i < Math.min(children.length, FOLDERS_MAX); i++) {
            if (children[i].isDir()) {
                FileStatus found = newest(files, children[i].getPath(), depth - 1);
                if (found != null && (newest == null || found.getModificationTime() >= newest.getModificationTime())) {
                    newest = found;
                }
            }
        }
        return newest;
    }

    private static ServingException invalid(String folder, String what) {
        return new ServingException(ErrorCode.INVALID_REQUEST, folder + " " + what);
    }
}
