package io.millrace.text.template;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Whole chat templates render conversations as the reference renders them, and refuse what it refuses. */
class TemplateGoldenTest {
    private static final String DEMO_MODEL = "HuggingFaceTB-SmolLM2-135M-Instruct";

    /** A text, or what was said instead of one. */
    private record Outcome(String text, String refusal) {}

    private final Map<String, Map<String, Object>> conversations = conversations();

    @SuppressWarnings("unchecked")
    private static Map<String, Map<String, Object>> conversations() {
        Map<String, Map<String, Object>> conversations = new LinkedHashMap<>();
        for (Map<String, Object> line : TestingTemplates.lines("conversations.jsonl")) {
            conversations.put((String) line.get("conversation"), (Map<String, Object>) line.get("variables"));
        }
        return conversations;
    }

    private static Outcome render(ChatTemplate template, Map<String, Object> variables) {
        try {
            return new Outcome(template.render(variables), null);
        } catch (ServingException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.TEMPLATE_REFUSED);
            return new Outcome(null, e.getMessage());
        }
    }

    private void assertGoldens(List<Map<String, Object>> goldens, Function<String, String> sources) {
        assertThat(goldens).isNotEmpty();
        Map<String, ChatTemplate> templates = new LinkedHashMap<>();
        for (Map<String, Object> golden : goldens) {
            String name = (String) golden.get("template");
            String conversation = (String) golden.get("conversation");
            ChatTemplate template =
                    templates.computeIfAbsent(name, key -> TestingTemplates.compile(sources.apply(key)));
            Outcome outcome = render(template, conversations.get(conversation));
            String description = name + " / " + conversation + ": " + outcome.refusal();
            assertThat(outcome.text()).as(description).isEqualTo(golden.get("output"));
            if (golden.containsKey("refusal")) {
                assertThat(outcome.refusal()).as(description).isEqualTo(golden.get("refusal"));
            }
        }
    }

    @Test
    void ourOwnTemplates() {
        assertGoldens(TestingTemplates.lines("own.jsonl"), TestingTemplates::own);
    }

    @Test
    void theDemoModelsTemplate() {
        List<Map<String, Object>> goldens = TestingTemplates.lines("families.jsonl").stream()
                .filter(golden -> golden.get("template").equals(DEMO_MODEL))
                .toList();
        assertThat(goldens).hasSize(conversations.size());
        String template = TestingTemplates.ofDemoModel();
        assertGoldens(goldens, name -> template);
    }

    @Test
    void theTemplatesOfTheFamiliesWeServe() {
        Map<String, String> published = TestingTemplates.published();
        List<Map<String, Object>> goldens = TestingTemplates.lines("families.jsonl");
        assertThat(goldens.stream().map(golden -> golden.get("template")).distinct())
                .hasSize(13);
        assertGoldens(goldens, published::get);
    }

    @Test
    void everyPublishedTemplate() {
        Map<String, String> published = TestingTemplates.published();
        List<String> differences = new ArrayList<>();
        for (Map<String, Object> golden : TestingTemplates.lines("published.jsonl")) {
            ChatTemplate template;
            try {
                template = TestingTemplates.compile(published.get((String) golden.get("template")));
            } catch (ServingException e) {
                template = null;
            }
            int index = 0;
            for (Map.Entry<String, Map<String, Object>> conversation : conversations.entrySet()) {
                String digest = template == null
                        ? null
                        : digest(render(template, conversation.getValue()).text());
                if (!Objects.equals(digest, ((List<?>) golden.get("outputs")).get(index++))) {
                    differences.add(golden.get("template") + " / " + conversation.getKey());
                }
            }
        }
        assertThat(differences).isEmpty();
    }

    private static String digest(String text) {
        if (text == null) {
            return null;
        }
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash).substring(0, 12);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
