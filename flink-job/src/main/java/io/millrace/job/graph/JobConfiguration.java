package io.millrace.job.graph;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.YamlParserUtils;
import org.jspecify.annotations.Nullable;

/** Reads a job's configuration: a YAML file as Flink writes it, keys nested or dotted. */
public final class JobConfiguration {
    /** The embedded job's file, on the class path. */
    public static final String LOCAL_RESOURCE = "millrace/local.yaml";

    /** No configuration file is larger. */
    private static final int FILE_BYTES_MAX = 1 << 20;

    private static final int DEPTH_MAX = 32;

    private JobConfiguration() {}

    /**
     * Reads a file.
     *
     * @throws ServingException {@code INVALID_REQUEST} naming the file, if it is not there or is no YAML mapping
     */
    public static Configuration load(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return parse(file.toString(), in);
        } catch (IOException e) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, "configuration " + file + " cannot be read: " + e, e);
        }
    }

    /**
     * Reads the configuration of the embedded job that comes with Millrace. Checkpoints go to a folder of the JVM's
     * temporary one unless it says where.
     */
    public static Configuration loadLocal() {
        Configuration configuration = readLocal();
        if (!configuration.contains(CheckpointingOptions.CHECKPOINTS_DIRECTORY)) {
            configuration.set(
                    CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                    temporaryCheckpoints().toUri().toString());
        }
        return configuration;
    }

    /** Where checkpoints go that nobody will resume. */
    public static Path temporaryCheckpoints() {
        return Path.of(System.getProperty("java.io.tmpdir"), "millrace-checkpoints");
    }

    /** Reads the configuration of the embedded job as it is: it need not say where checkpoints go. */
    public static Configuration readLocal() {
        try (@Nullable InputStream in = JobConfiguration.class.getClassLoader().getResourceAsStream(LOCAL_RESOURCE)) {
            if (in == null) {
                throw new ServingException(ErrorCode.INTERNAL, LOCAL_RESOURCE + " is not on the class path");
            }
            return parse(LOCAL_RESOURCE, in);
        } catch (IOException e) {
            throw new ServingException(ErrorCode.INTERNAL, LOCAL_RESOURCE + " cannot be read: " + e, e);
        }
    }

    /** What clients call the model that a configuration names. */
    public static String modelName(Configuration configuration) {
        return ModelResolution.modelName(configuration);
    }

    private static Configuration parse(String name, InputStream in) throws IOException {
        byte[] bytes = in.readNBytes(FILE_BYTES_MAX + 1);
        if (bytes.length > FILE_BYTES_MAX) {
            throw invalid(name, "is above the limit of " + FILE_BYTES_MAX + " bytes", null);
        }
        String text = new String(bytes, StandardCharsets.UTF_8);
        Map<String, String> flat = new LinkedHashMap<>();
        if (!text.isBlank()) {
            try {
                flatten(name, "", YamlParserUtils.convertToObject(text, Map.class), flat, 0);
            } catch (ServingException e) {
                throw e;
            } catch (RuntimeException e) {
                throw invalid(name, "is no YAML mapping: " + e.getMessage(), e);
            }
        }
        return Configuration.fromMap(flat);
    }

    private static void flatten(
            String name, String prefix, @Nullable Map<?, ?> values, Map<String, String> flat, int depth) {
        if (depth > DEPTH_MAX) {
            throw invalid(name, "is nested deeper than " + DEPTH_MAX + " levels at " + prefix, null);
        }
        if (values == null) {
            return;
        }
        for (Map.Entry<?, ?> entry : values.entrySet()) {
            String key = prefix + entry.getKey();
            Object value = entry.getValue();
            if (value instanceof Map<?, ?> nested) {
                flatten(name, key + ".", nested, flat, depth + 1);
            } else if (value instanceof List<?>) {
                flat.put(key, YamlParserUtils.toYAMLString(value));
            } else if (value != null) {
                flat.put(key, value.toString());
            }
        }
    }

    private static ServingException invalid(String name, String what, @Nullable Throwable cause) {
        return new ServingException(ErrorCode.INVALID_REQUEST, "configuration " + name + " " + what, cause);
    }
}
