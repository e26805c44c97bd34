package io.millrace.bench;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A suite's figures, how they were taken, and how they are written. */
public final class BenchReport {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final String suite;
    private final Map<String, Object> machine;
    private final List<String> commands = new ArrayList<>();
    private final Map<String, Figure> figures = new LinkedHashMap<>();
    private final Map<String, Double> ratios = new LinkedHashMap<>();
    private final Map<String, Double> extras = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    /** An empty report of a suite, on this machine. */
    public BenchReport(String suite) {
        this(suite, Machine.describe());
    }

    BenchReport(String suite, Map<String, Object> machine) {
        this.suite = requireNonNull(suite, "suite");
        this.machine = new LinkedHashMap<>(machine);
    }

    /** Adds a command that was run: ours, or a peer's. */
    public void addCommand(String command) {
        commands.add(command);
    }

    /** Adds a figure. */
    public void addFigure(String name, Figure figure) {
        figures.put(name, figure);
    }

    /** Adds a ratio; one that is not finite is written as null. */
    public void addRatio(String name, double ratio) {
        ratios.put(name, ratio);
    }

    /** Adds a value beside figures and ratios. */
    public void addExtra(String name, double value) {
        extras.put(name, value);
    }

    /** Adds something that a reader should know, such as a peer that is missing. */
    public void addNote(String note) {
        notes.add(note);
    }

    /** The suite. */
    public String suite() {
        return suite;
    }

    /** The report as a table in Markdown, under a heading, with the machine and the commands. */
    public String markdown() {
        StringBuilder page =
                new StringBuilder("# bench " + suite + "\n\n").append(table()).append('\n');
        page.append("| ratio | value |\n| --- | ---: |\n");
        ratios.forEach((name, value) -> page.append("| ")
                .append(name)
                .append(" | ")
                .append(number(value))
                .append(" |\n"));
        extras.forEach((name, value) -> page.append("| ")
                .append(name)
                .append(" | ")
                .append(number(value))
                .append(" |\n"));
        page.append("\nMachine:\n\n");
        machine.forEach((name, value) ->
                page.append("* ").append(name).append(": ").append(value).append('\n'));
        page.append("\nCommands:\n\n");
        commands.forEach(command -> page.append("    ").append(command).append('\n'));
        notes.forEach(note -> page.append("\n").append(note).append('\n'));
        return page.toString();
    }

    /** The figures as a table; with the peer's columns where there is a peer. */
    public String table() {
        boolean peer = figures.values().stream().anyMatch(Figure::hasPeer);
        StringBuilder table = new StringBuilder();
        table.append(String.format(Locale.ROOT, "| %-34s | %-9s | %10s |", "figure", "unit", "millrace"))
                .append(peer ? String.format(Locale.ROOT, " %10s | %8s |%n", "peer", "ratio") : "\n")
                .append(peer ? "| :--- | :--- | ---: | ---: | ---: |\n" : "| :--- | :--- | ---: |\n");
        figures.forEach((name, figure) -> {
            String value = number(figure.value());
            table.append(String.format(Locale.ROOT, "| %-34s | %-9s | %10s |", name, figure.unit(), value));
            table.append(
                    peer
                            ? String.format(
                                    Locale.ROOT,
                                    " %10s | %8s |%n",
                                    number(figure.peerValue()),
                                    number(figure.overPeer()))
                            : "\n");
        });
        return table.toString();
    }

    /** The report as JSON: machine, commands, figures, ratios, and the values beside them. */
    public String json() {
        ObjectNode report = JSON.createObjectNode().put("suite", suite);
        report.set("machine", JSON.valueToTree(machine));
        ArrayNode commandArray = report.putArray("commands");
        commands.forEach(commandArray::add);
        ObjectNode figureNode = report.putObject("figures");
        figures.forEach((name, figure) -> {
            ObjectNode node = figureNode.putObject(name).put("unit", figure.unit());
            node.put("value", figure.value());
            figure.runs().forEach(node.putArray("runs")::add);
            if (figure.hasPeer()) {
                node.put("llama_cpp", figure.peerValue());
                figure.peerRuns().forEach(node.putArray("llama_cpp_runs")::add);
            }
        });
        ObjectNode ratioNode = report.putObject("ratios");
        ratios.forEach((name, value) -> putFinite(ratioNode, name, value));
        extras.forEach((name, value) -> putFinite(report, name, value));
        notes.forEach(report.withArray("notes")::add);
        return report.toPrettyString() + "\n";
    }

    private static void putFinite(ObjectNode node, String name, double value) {
        if (Double.isFinite(value)) {
            node.put(name, value);
        } else {
            node.putNull(name);
        }
    }

    private static String number(double value) {
        if (!Double.isFinite(value)) {
            return "–";
        }
        return String.format(
                Locale.ROOT, Math.abs(value) >= 100 ? "%.0f" : Math.abs(value) >= 10 ? "%.1f" : "%.3f", value);
    }
}
