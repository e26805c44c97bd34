package io.millrace.job.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The demo agent's tools: they look at a small workspace of files that is held in memory, and calculate. They read no
 * clock and touch nothing outside, so a session is the same each time. Their answers to a model's mistakes are errors
 * that it can read.
 */
final class DemoTools {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MAX_LINES = 40;
    private static final int MAX_RESULTS = 20;

    private final Map<String, String> files;

    DemoTools(Map<String, String> files) {
        this.files = new TreeMap<>(files);
    }

    /** Runs a call and returns its answer, an error's text included. */
    String run(ChatReply.ToolCall call) {
        try {
            JsonNode arguments = JSON.readTree(call.arguments().isBlank() ? "{}" : call.arguments());
            if (arguments == null || !arguments.isObject()) {
                return "error: the arguments must be a JSON object";
            }
            return switch (call.name()) {
                case "list_files" -> listFiles(arguments.path("directory").asText("."));
                case "read_file" -> readFile(arguments);
                case "search_files" -> searchFiles(arguments);
                case "count_log_levels" -> countLogLevels(file(arguments));
                case "column_statistics" ->
                    columnStatistics(file(arguments), arguments.path("column").asText());
                case "calculate" ->
                    decimal(Arithmetic.evaluate(arguments.path("expression").asText()));
                default -> "error: there is no tool " + call.name();
            };
        } catch (IOException e) {
            return "error: the arguments are no JSON";
        } catch (IllegalArgumentException e) {
            return "error: " + e.getMessage();
        }
    }

    private String listFiles(String directory) {
        String prefix = directory.equals(".") || directory.equals("/") || directory.isEmpty() ? "" : directory + "/";
        StringBuilder answer = new StringBuilder();
        files.forEach((path, text) -> {
            if (path.startsWith(prefix) || path.equals(directory)) {
                answer.append(path).append("  ").append(lines(text).size()).append(" lines\n");
            }
        });
        return answer.isEmpty() ? "error: there is no directory " + directory : answer.toString();
    }

    private String readFile(JsonNode arguments) {
        List<String> lines = lines(file(arguments));
        int first = Math.max(1, arguments.path("first_line").asInt(1));
        int count = Math.min(MAX_LINES, Math.max(1, arguments.path("line_count").asInt(MAX_LINES / 2)));
        if (first > lines.size()) {
            throw new IllegalArgumentException("the file has only " + lines.size() + " lines");
        }
        StringBuilder answer = new StringBuilder();
        int last = (int) Math.min(lines.size(), first + (long) count - 1);
        for (int number = first; number <= last; number++) {
            answer.append(number).append(": ").append(lines.get(number - 1)).append('\n');
        }
        return answer.toString();
    }

    private String searchFiles(JsonNode arguments) {
        String wanted = arguments.path("text").asText("").toLowerCase(Locale.ROOT);
        if (wanted.isEmpty()) {
            throw new IllegalArgumentException("text is missing");
        }
        int limit =
                Math.min(MAX_RESULTS, Math.max(1, arguments.path("max_results").asInt(MAX_RESULTS / 2)));
        StringBuilder answer = new StringBuilder();
        int found = 0;
        for (Map.Entry<String, String> file : files.entrySet()) {
            List<String> lines = lines(file.getValue());
            for (int index = 0; index < lines.size() && found < limit; index++) {
                if (lines.get(index).toLowerCase(Locale.ROOT).contains(wanted)) {
                    answer.append(file.getKey()).append(':').append(index + 1).append(": ");
                    answer.append(lines.get(index)).append('\n');
                    found++;
                }
            }
        }
        return found == 0 ? "no line contains it" : answer.toString();
    }

    private static String countLogLevels(String text) {
        Map<String, Integer> counts = new TreeMap<>();
        List<String> lines = lines(text);
        for (String line : lines) {
            String[] words = line.split(" +", 3);
            if (words.length == 3) {
                counts.merge(words[1], 1, Integer::sum);
            }
        }
        return counts + ", first entry " + lines.get(0).split(" ", 2)[0] + ", last entry "
                + lines.get(lines.size() - 1).split(" ", 2)[0];
    }

    private static String columnStatistics(String text, String column) {
        List<String> lines = lines(text);
        int index = Arrays.asList(lines.get(0).split(",", -1)).indexOf(column);
        if (index < 0) {
            throw new IllegalArgumentException("the columns are " + lines.get(0) + "; there is no " + column);
        }
        DoubleSummaryStatistics values = new DoubleSummaryStatistics();
        for (String line : lines.subList(1, lines.size())) {
            String[] cells = line.split(",", -1);
            if (index >= cells.length) {
                throw new IllegalArgumentException("a line has no such column: " + line);
            }
            values.accept(Double.parseDouble(cells[index]));
        }
        String last = lines.get(lines.size() - 1).split(",", -1)[index];
        return "min %s, max %s, mean %s, sum %s, first %s, last %s"
                .formatted(
                        decimal(values.getMin()),
                        decimal(values.getMax()),
                        decimal(values.getAverage()),
                        decimal(values.getSum()),
                        lines.get(1).split(",", -1)[index],
                        last);
    }

    private String file(JsonNode arguments) {
        String path = arguments.path("path").asText("");
        String text = files.get(path);
        if (text == null) {
            throw new IllegalArgumentException("there is no file '" + path + "'; the files are " + files.keySet());
        }
        return text;
    }

    private static List<String> lines(String text) {
        return text.lines().toList();
    }

    private static String decimal(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : String.format(Locale.ROOT, "%.3f", value);
    }
}
