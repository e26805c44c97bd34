package io.millrace.connector.kafka.broker;

import java.util.List;

/** The last lines of a log, for an error's message. */
final class LogTail {
    private static final int LINES_MAX = 40;

    private LogTail() {}

    static String of(String log) {
        List<String> lines = log.lines().toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - LINES_MAX), lines.size()));
    }
}
