package io.millrace.connector.kafka.broker;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The broker's second listener, for clients that prove who they are or want their bytes encrypted.
 *
 * @param keyStore the broker's key and certificate; null is no TLS
 * @param authentication how clients say who they are; null is not at all
 */
public record KafkaListener(
        @Nullable KeyStore keyStore, @Nullable Authentication authentication) {
    /** Its name in the broker's properties. */
    static final String NAME = "SECURE";

    private static final String PREFIX = "listener.name." + "secure" + ".";

    public KafkaListener {
        if (keyStore == null && authentication == null) {
            throw new IllegalArgumentException("a listener without TLS and authentication is the broker's first one");
        }
    }

    /**
     * A file with a key and its certificate.
     *
     * @param type such as {@code PKCS12}
     */
    public record KeyStore(Path file, String password, String type) {
        public KeyStore {
            requireNonNull(file, "file");
            requireNonNull(password, "password");
            requireNonNull(type, "type");
        }
    }

    /**
     * SASL with a name and a password.
     *
     * @param mechanism {@code PLAIN}, {@code SCRAM-SHA-256} or {@code SCRAM-SHA-512}
     * @param passwords each user's
     */
    public record Authentication(String mechanism, Map<String, String> passwords) {
        public Authentication {
            requireNonNull(mechanism, "mechanism");
            passwords = Map.copyOf(passwords);
        }

        boolean isPlain() {
            return mechanism.equals("PLAIN");
        }
    }

    /** Kafka's name of what is spoken. */
    public String protocol() {
        if (authentication == null) {
            return "SSL";
        }
        return keyStore == null ? "SASL_PLAINTEXT" : "SASL_SSL";
    }

    Map<String, String> properties() {
        Map<String, String> properties = new LinkedHashMap<>();
        if (keyStore != null) {
            properties.put(
                    PREFIX + "ssl.keystore.location",
                    keyStore.file().toAbsolutePath().toString());
            properties.put(PREFIX + "ssl.keystore.password", keyStore.password());
            properties.put(PREFIX + "ssl.key.password", keyStore.password());
            properties.put(PREFIX + "ssl.keystore.type", keyStore.type());
        }
        if (authentication != null) {
            String mechanism = authentication.mechanism();
            properties.put("sasl.enabled.mechanisms", mechanism);
            properties.put(PREFIX + "sasl.enabled.mechanisms", mechanism);
            String jaas = authentication.isPlain()
                    ? plainUsers(authentication.passwords())
                    : "org.apache.kafka.common.security.scram.ScramLoginModule required;";
            properties.put(PREFIX + mechanism.toLowerCase(java.util.Locale.ROOT) + ".sasl.jaas.config", jaas);
        }
        return properties;
    }

    private static String plainUsers(Map<String, String> passwords) {
        StringBuilder jaas = new StringBuilder("org.apache.kafka.common.security.plain.PlainLoginModule required");
        passwords.forEach((user, password) -> jaas.append(" user_")
                .append(user)
                .append("=\"")
                .append(password)
                .append('"'));
        return jaas.append(';').toString();
    }
}
