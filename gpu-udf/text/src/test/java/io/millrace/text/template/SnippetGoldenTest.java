package io.millrace.text.template;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.kv.ServingException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Small templates render as the reference renders them, and are refused where it refuses them. */
class SnippetGoldenTest {
    private static final Clock CLOCK = Clock.fixed(Instant.parse("2024-07-26T12:34:56Z"), ZoneOffset.UTC);
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void rendersAsTheReference() throws IOException {
        List<String> differences = new ArrayList<>();
        int count = 0;
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(
                Objects.requireNonNull(SnippetGoldenTest.class.getResourceAsStream("/template/snippets.jsonl")),
                StandardCharsets.UTF_8))) {
            Map<String, Object> variables = variables(lines.readLine());
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                JsonNode golden = JSON.readTree(line);
                String wanted = golden.get("output").isNull()
                        ? null
                        : golden.get("output").asText();
                String template = golden.get("template").asText();
                String rendered = render(template, variables);
                if (!Objects.equals(rendered, wanted)) {
                    differences.add(template + "\n  reference: " + wanted + "\n  rendered:  " + rendered);
                }
                count++;
            }
        }
        assertThat(count).isGreaterThan(2000);
        assertThat(differences).isEmpty();
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> variables(String line) throws IOException {
        return (Map<String, Object>) JSON.readValue(line, Map.class).get("variables");
    }

    private static String render(String template, Map<String, Object> variables) {
        try {
            return ChatTemplate.compile(template, TemplateLimits.DEFAULT, CLOCK).render(variables);
        } catch (ServingException e) {
            return null;
        }
    }
}
