package io.millrace.connector.kafka.broker;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a broker is started with.
 *
 * @param folder its configuration, log and data; a broker started in the same folder again has the same data and ports
 * @param classPath Kafka's server, and a binding of slf4j 1.7 to log4j 2
 * @param heapMegabytes the JVM's heap
 * @param secureListener a second listener, or null for none
 * @param properties of the broker, over what it has by default
 * @param startLimit how long it may take until it is ready
 */
public record KafkaBrokerOptions(
        Path folder,
        List<String> classPath,
        int heapMegabytes,
        @Nullable KafkaListener secureListener,
        Map<String, String> properties,
        Duration startLimit) {
    private static final int HEAP_MEGABYTES = 256;
    private static final Duration START_LIMIT = Duration.ofSeconds(120);

    public KafkaBrokerOptions {
        folder = requireNonNull(folder, "folder").toAbsolutePath();
        classPath = List.copyOf(classPath);
        properties = Map.copyOf(properties);
        requireNonNull(startLimit, "startLimit");
        if (heapMegabytes <= 0) {
            throw new IllegalArgumentException("heapMegabytes must be positive: " + heapMegabytes);
        }
    }

    /** A small broker without security. */
    public static KafkaBrokerOptions of(Path folder, List<String> classPath) {
        return new KafkaBrokerOptions(folder, classPath, HEAP_MEGABYTES, null, Map.of(), START_LIMIT);
    }

    /** The same with another heap. */
    public KafkaBrokerOptions withHeapMegabytes(int megabytes) {
        return new KafkaBrokerOptions(folder, classPath, megabytes, secureListener, properties, startLimit);
    }

    /** The same with a second listener. */
    public KafkaBrokerOptions withSecureListener(KafkaListener listener) {
        return new KafkaBrokerOptions(folder, classPath, heapMegabytes, listener, properties, startLimit);
    }

    /** The same with properties of the broker in place of those it had. */
    public KafkaBrokerOptions withProperties(Map<String, String> others) {
        return new KafkaBrokerOptions(folder, classPath, heapMegabytes, secureListener, others, startLimit);
    }
}
