package io.millrace.connector.kafka.port;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The threads of a port: its reader's, its sender's, its watch's, and one that looks for chunks of the past. */
final class PortThreads implements AutoCloseable {
    /** Something that is done again and again. */
    interface Round {
        void run() throws InterruptedException;
    }

    private static final Logger LOG = LoggerFactory.getLogger(PortThreads.class);
    private static final int SCANS_WAITING_MAX = 64;
    private static final long WATCH_INTERVAL_MS = 1_000;
    private static final long END_MS = 10_000;
    private static final long SCAN_IDLE_S = 10;

    private final TokenReader reader;
    private final RequestSender sender;
    private final Round watch;
    private final ThreadPoolExecutor scans;
    private final Thread readerThread;
    private final Thread senderThread;
    private final Thread watchThread;

    PortThreads(TokenReader reader, RequestSender sender, Round watch) {
        this.reader = requireNonNull(reader, "reader");
        this.sender = requireNonNull(sender, "sender");
        this.watch = requireNonNull(watch, "watch");
        this.readerThread = daemon(reader, "millrace-kafka-reader");
        this.senderThread = daemon(sender, "millrace-kafka-sender");
        this.watchThread = daemon(this::watch, "millrace-kafka-watch");
        this.scans = new ThreadPoolExecutor(
                1,
                1,
                SCAN_IDLE_S,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(SCANS_WAITING_MAX),
                task -> daemon(task, "millrace-kafka-scan"));
        scans.allowCoreThreadTimeOut(true);
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    void start() {
        readerThread.start();
        senderThread.start();
        watchThread.start();
    }

    /**
     * Has chunks of the past looked for.
     *
     * @throws java.util.concurrent.RejectedExecutionException if too many searches wait
     */
    void scan(Runnable search) {
        scans.execute(search);
    }

    private void watch() {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                try {
                    watch.run();
                } catch (RuntimeException e) {
                    LOG.error("The topics could not be watched", e);
                }
                Thread.sleep(WATCH_INTERVAL_MS);
            }
        } catch (InterruptedException e) {
            LOG.debug("The watch was told to end", e);
        }
    }

    /** Ends all of them: first the sender, which sends what waits. */
    @Override
    public void close() {
        watchThread.interrupt();
        scans.shutdownNow();
        sender.close();
        join(senderThread);
        reader.close();
        join(readerThread);
        join(watchThread);
    }

    private static void join(Thread thread) {
        try {
            thread.join(END_MS);
            if (thread.isAlive()) {
                LOG.warn("The thread {} does not end at {}", thread.getName(), List.of(thread.getStackTrace()));
                thread.interrupt();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
