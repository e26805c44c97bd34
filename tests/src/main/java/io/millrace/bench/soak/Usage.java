package io.millrace.bench.soak;

import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What this process uses at a moment.
 *
 * @param heapBytes after a collection
 * @param directBytes of direct buffers
 * @param residentBytes of the whole process, memory of native code included; 0 where the system does not tell
 * @param openFiles file handles; 0 where the system does not tell
 * @param threads of Java
 */
record Usage(long heapBytes, long directBytes, long residentBytes, long openFiles, long threads) {
    private static final Path SELF = Path.of("/proc/self");
    private static final int COLLECTIONS = 2;

    /** Measures it, with a collection before. */
    static Usage now() throws IOException {
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
        }
        long direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
        return new Usage(
                ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
                direct,
                resident(),
                openFilesNow(),
                ManagementFactory.getThreadMXBean().getThreadCount());
    }

    @Override
    public String toString() {
        return "heap %d MiB, direct %d MiB, resident %d MiB, %d files, %d threads"
                .formatted(heapBytes >> 20, directBytes >> 20, residentBytes >> 20, openFiles, threads);
    }

    private static long resident() throws IOException {
        Path status = SELF.resolve("status");
        if (!Files.isReadable(status)) {
            return 0;
        }
        for (String line : Files.readAllLines(status)) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        return 0;
    }

    private static long openFilesNow() throws IOException {
        Path handles = SELF.resolve("fd");
        if (!Files.isDirectory(handles)) {
            return 0;
        }
        try (Stream<Path> all = Files.list(handles)) {
            return all.count();
        }
    }
}
