package io.millrace.job.graph;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.description.HtmlFormatter;
import org.apache.flink.util.TimeUtils;

/** Writes docs/configuration.md from the options. */
public final class OptionDocs {
    private static final String HEAD = """
            # Configuration

            Millrace's options stand beside Flink's own in one file (see `jobs-config/local.yaml`); `-Dkey=value` on the
            command line goes over it. This page is made from `MillraceOptions`; a test keeps the two the same.

            | option | default | what it is |
            | --- | --- | --- |
            """;

    private OptionDocs() {}

    /** The page, in Markdown. */
    public static String markdown(List<ConfigOption<?>> options) {
        StringBuilder page = new StringBuilder(HEAD);
        for (ConfigOption<?> option : options) {
            page.append("| `")
                    .append(option.key())
                    .append("` | ")
                    .append(defaultText(option))
                    .append(" | ")
                    .append(new HtmlFormatter().format(option.description()))
                    .append(" |\n");
        }
        return page.toString();
    }

    /** An option's default as one would write it in the file, or "none". */
    public static String defaultText(ConfigOption<?> option) {
        Object value = option.defaultValue();
        if (value == null || value.equals(Map.of())) {
            return "none";
        }
        if (value instanceof Duration duration) {
            return duration.isZero() ? "0 ms" : TimeUtils.formatWithHighestUnit(duration);
        }
        if (value instanceof MemorySize size) {
            return size.getMebiBytes() + " mb";
        }
        if (value instanceof List<?> list) {
            return list.stream().map(Object::toString).collect(Collectors.joining(";"));
        }
        return value.toString();
    }
}
