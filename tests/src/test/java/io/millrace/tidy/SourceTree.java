package io.millrace.tidy;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The repository's own text files, by their path from its root. */
public final class SourceTree {
    private static final Set<String> SKIPPED_FOLDERS =
            Set.of("target", ".git", ".idea", ".vscode", "node_modules", "bench-results", "dist", "__pycache__");
    private static final long MAX_BYTES = 4 << 20;

    private SourceTree() {}

    /** The repository's root: the folder above this one that has the launcher. */
    public static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (folder != null && !Files.isRegularFile(folder.resolve("millrace"))) {
            folder = folder.getParent();
        }
        if (folder == null) {
            throw new IllegalStateException("no folder above " + Path.of("").toAbsolutePath() + " has the launcher");
        }
        return folder;
    }

    /** All text files, but for what builds make. */
    public static Map<String, String> textFiles() throws IOException {
        Path root = root();
        Map<String, String> files = new TreeMap<>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                String name = folder.getFileName().toString();
                return !folder.equals(root) && SKIPPED_FOLDERS.contains(name)
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (attributes.isRegularFile() && attributes.size() <= MAX_BYTES && !isGitLink(file)) {
                    String path = root.relativize(file).toString().replace('\\', '/');
                    try {
                        files.put(path, Files.readString(file));
                    } catch (MalformedInputException e) {
                        // A binary file has no lines to look at.
                    }
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return files;
    }

    // In a linked work tree .git is a file, which names the folder of the main one.
    private static boolean isGitLink(Path file) {
        return file.getFileName().toString().equals(".git");
    }
}
