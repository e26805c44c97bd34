package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Where a run keeps state, checkpoints and savepoints: a folder of this process below a common one. It is deleted when
 * it is closed and when the JVM ends; what a run that was killed left behind is deleted when the next one begins.
 */
public final class WorkFolder implements AutoCloseable {
    private final Path folder;
    private final Thread atExit = new Thread(() -> deleteQuietly(), "bench-work-folder");

    private WorkFolder(Path folder) {
        this.folder = requireNonNull(folder, "folder");
    }

    /** Makes this process's folder below a common one, and deletes those of processes that are no more. */
    public static WorkFolder make(Path common) throws IOException {
        Files.createDirectories(common);
        try (Stream<Path> entries = Files.list(common)) {
            for (Path left : entries.toList()) {
                if (!isAlive(left.getFileName().toString())) {
                    delete(left);
                }
            }
        }
        WorkFolder made = new WorkFolder(
                common.resolve(Long.toString(ProcessHandle.current().pid())));
        delete(made.folder);
        Files.createDirectories(made.folder);
        Runtime.getRuntime().addShutdownHook(made.atExit);
        return made;
    }

    private static boolean isAlive(String processId) {
        try {
            return ProcessHandle.of(Long.parseLong(processId)).isPresent();
        } catch (NumberFormatException e) {
            // Not a folder of ours: leave it alone.
            return true;
        }
    }

    /** A new folder. */
    public Path folder(String name) throws IOException {
        return Files.createDirectories(folder.resolve(name));
    }

    /**
     * Checks that the disk has room.
     *
     * @throws IOException saying what was needed and what is there
     */
    void requireSpace(String what, long bytes) throws IOException {
        long usable = Files.getFileStore(folder).getUsableSpace();
        if (usable < bytes) {
            throw new IOException(what + " needs " + mebibytes(bytes) + " MiB of disk below " + folder + ", which has "
                    + mebibytes(usable) + " MiB left: free some, or use --quick, which needs less");
        }
    }

    private static long mebibytes(long bytes) {
        return bytes >> 20;
    }

    /** Bytes of the regular files below a folder; a file with several names counts once. */
    static long bytesBelow(Path root) throws IOException {
        Set<Object> seen = new HashSet<>();
        long[] bytes = new long[1];
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                Object key = attributes.fileKey();
                if (attributes.isRegularFile() && (key == null || seen.add(key))) {
                    bytes[0] += attributes.size();
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                // Files come and go while a job runs.
                if (e instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw e;
            }
        });
        return bytes[0];
    }

    /** Deletes a folder with all that is in it, if it is there. */
    static void delete(Path root) throws IOException {
        if (!Files.exists(root)) {
            return;
        }
        List<Path> all;
        try (Stream<Path> paths = Files.walk(root)) {
            all = paths.sorted(java.util.Comparator.reverseOrder()).toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        for (Path path : all) {
            Files.deleteIfExists(path);
        }
    }

    private void deleteQuietly() {
        try {
            delete(folder);
        } catch (IOException e) {
            System.err.println("millrace: " + folder + " could not be deleted: " + e);
        }
    }

    @Override
    public void close() {
        deleteQuietly();
        Runtime.getRuntime().removeShutdownHook(atExit);
    }
}
