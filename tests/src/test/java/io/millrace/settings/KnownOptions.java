package io.millrace.settings;

import io.millrace.job.graph.MillraceOptions;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.FallbackKey;
import org.apache.flink.state.rocksdb.RocksDBOptions;

/** Every option that Flink and Millrace read: constants of Flink's classes of options, and Millrace's own list. */
final class KnownOptions {
    /** Options whose keys have a name of the user's in them, or that only plugins and scripts read. */
    private static final List<String> FREE = List.of(
            "metrics\\.reporter\\.[a-z]+\\.(factory\\.class|port)",
            "external-resource\\.gpu\\.(driver-factory\\.class|amount|param\\.discovery-script\\.path)",
            "millrace\\.kafka\\.((consumer|producer)\\.)?properties\\..+");

    private final Map<String, ConfigOption<?>> options = new LinkedHashMap<>();

    KnownOptions() throws Exception {
        addJarOf(CoreOptions.class, "org/apache/flink/configuration/");
        addJarOf(RocksDBOptions.class, "org/apache/flink/state/rocksdb/");
        MillraceOptions.all().forEach(this::add);
    }

    boolean has(String key) {
        return options.containsKey(key) || FREE.stream().anyMatch(key::matches);
    }

    /** What of a configuration is no option, or no value of one; empty if all is well. */
    List<String> faults(Configuration configuration) {
        List<String> faults = new ArrayList<>();
        for (String key : configuration.keySet()) {
            if (!has(key)) {
                faults.add(key + " is no option");
            } else if (options.containsKey(key)) {
                try {
                    configuration.get(options.get(key));
                } catch (IllegalArgumentException e) {
                    faults.add(key + ": " + e.getMessage());
                }
            }
        }
        return faults;
    }

    private void addJarOf(Class<?> member, String folder) throws Exception {
        Path jar = Path.of(
                member.getProtectionDomain().getCodeSource().getLocation().toURI());
        for (String name : classes(jar, folder)) {
            for (Field field : Class.forName(name).getDeclaredFields()) {
                if (Modifier.isStatic(field.getModifiers()) && field.getType() == ConfigOption.class) {
                    field.setAccessible(true);
                    add((ConfigOption<?>) field.get(null));
                }
            }
        }
    }

    private static List<String> classes(Path jar, String folder) throws IOException {
        List<String> names = new ArrayList<>();
        try (JarFile file = new JarFile(jar.toFile())) {
            file.stream()
                    .map(entry -> entry.getName())
                    .filter(name -> name.startsWith(folder) && name.endsWith("Options.class"))
                    .forEach(name -> names.add(
                            name.substring(0, name.length() - ".class".length()).replace('/', '.')));
        }
        return names;
    }

    private void add(ConfigOption<?> option) {
        options.put(option.key(), option);
        for (FallbackKey fallback : option.fallbackKeys()) {
            if (!fallback.isDeprecated()) {
                options.put(fallback.getKey(), option);
            }
        }
    }
}
