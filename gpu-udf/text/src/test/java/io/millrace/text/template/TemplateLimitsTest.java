package io.millrace.text.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** No template, however made, exhausts or breaks the process. */
class TemplateLimitsTest {
    private static final TemplateLimits SMALL = new TemplateLimits(1 << 16, 1 << 16, 300_000, 100);

    private static final String DOUBLE =
            "{% set ns = namespace(v=[1]) %}{% for i in range(60) %}" + "{% set ns.v = [ns.v, ns.v] %}{% endfor %}";

    @ParameterizedTest
    @Timeout(20)
    @ValueSource(
            strings = {
                "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
                "{{ range(100001) | list }}",
                "{{ 'a' * 100000000000 }}",
                "{{ [0] * 100000000000 }}",
                "{{ 2 ** 1000000 }}",
                "{{ 10 ** 1000 ** 1000 }}",
                "{% set ns = namespace(s='ab') %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
                "{% set ns = namespace(s='ab') %}{% for i in range(99) %}"
                        + "{% set ns.s = ns.s.replace('', ns.s) %}{% endfor %}",
                "{{ 'x'.center(2000000000) }}",
                "{{ '%2000000000d' % 1 }}",
                "{{ '{:2000000000}'.format(1) }}",
                "{{ 'a' | indent(2000000000) }}",
                "{{ '%.999999f' % 1.5 }}",
                "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
                "{% macro m(x) %}{{ m([x]) }}{% endmacro %}{{ m(1) }}",
                "{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
                "{% set ns = namespace(v=1) %}{% for i in range(5000) %}{% set ns.v = [ns.v] %}{% endfor %}{{ ns.v }}",
                "{% set ns = namespace(v=1) %}{% for i in range(5000) %}{% set ns.v = [ns.v] %}{% endfor %}"
                        + "{{ ns.v|tojson }}",
                DOUBLE + "{{ ns.v }}",
                DOUBLE + "{{ ns.v | tojson }}",
                DOUBLE + "{% set a = ns.v %}" + DOUBLE + "{{ ns.v == a }}",
                DOUBLE + "{% set a = ns.v %}" + DOUBLE + "{{ ns.v in [a] }}",
                DOUBLE + "{{ ns.v | string | length }}",
                "{% set l = range(90000) | list %}{% for i in l %}{{ l + l }}{% endfor %}",
                "{% for i in range(90000) %}{{ 'xxxxxxxxxxxxxxxx' }}{% endfor %}",
            })
    void costlyTemplatesEnd(String template) {
        assertThatThrownBy(() ->
                        ChatTemplate.compile(template, SMALL, Clock.systemUTC()).render(Map.of()))
                .isInstanceOfSatisfying(
                        ServingException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.TEMPLATE_REFUSED));
    }

    @ParameterizedTest
    @Timeout(20)
    @ValueSource(strings = {"(", "[", "{1:", "not ", "-", "a[", "a(", "a if b else ", "{{", "1 + (", "x.y(z["})
    void deepSyntaxIsRefused(String opening) {
        for (int depth : new int[] {1, 100, 200, 20_000}) {
            String source = "{{ " + opening.repeat(depth);
            assertThatThrownBy(() -> TestingTemplates.compile(source)).isInstanceOf(ServingException.class);
        }
    }

    @Test
    void deepButWholeSyntaxNeverOverflows() {
        for (int depth : new int[] {10, 100, 400, 50_000}) {
            for (String[] pair : new String[][] {
                {"(", ")"},
                {"[", "]"},
                {"not ", ""},
                {"-", ""},
                {"", "|string"},
                {"", "+1"},
                {"", "[0:]"},
                {"1 if 1 else ", ""},
                {"", " ~ 1"},
                {"", " and 1"}
            }) {
                attempt("{{ " + pair[0].repeat(depth) + "1" + pair[1].repeat(depth) + " }}");
            }
            attempt("{% if 1 %}".repeat(depth) + "{% endif %}".repeat(depth));
            attempt("{% for x in [1] %}".repeat(depth) + "x" + "{% endfor %}".repeat(depth));
        }
    }

    @Test
    void deepVariablesAreRefused() {
        Object value = 1;
        for (int i = 0; i < 100_000; i++) {
            value = List.of(value);
        }
        Object deep = value;
        assertThatThrownBy(() -> TestingTemplates.compile("{{ x }}").render(Map.of("x", deep)))
                .isInstanceOf(ServingException.class);
    }

    @Test
    void noObjectOfTheProcessGetsIn() {
        assertThatThrownBy(() -> TestingTemplates.compile("{{ x }}").render(Map.of("x", new StringBuilder("a"))))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("StringBuilder");
        for (String path :
                List.of("''.getClass()", "''.class", "[].stream()", "{}.getClass().forName('x')", "().__class__.x")) {
            assertThatThrownBy(() -> TestingTemplates.compile("{{ " + path + " }}{{ (" + path + ").x }}")
                            .render(Map.of()))
                    .as(path)
                    .isInstanceOf(ServingException.class);
        }
    }

    @Test
    void errorsNameTheLine() {
        assertThatThrownBy(() -> TestingTemplates.compile("a\n{% if x %}\n{{ 1 + }}\n{% endif %}"))
                .isInstanceOfSatisfying(ServingException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.MODEL_FILE_INVALID);
                    assertThat(e).hasMessageContaining("line 3");
                });
        assertThatThrownBy(() -> TestingTemplates.compile("a\n\n{{ x.y.z }}").render(Map.of("x", Map.of())))
                .isInstanceOfSatisfying(ServingException.class, e -> {
                    assertThat(e.code()).isEqualTo(ErrorCode.TEMPLATE_REFUSED);
                    assertThat(e).hasMessageContaining("line 3").hasMessageContaining("'y'");
                });
        assertThatThrownBy(() -> ChatTemplate.compile("x".repeat(100_000), SMALL, Clock.systemUTC()))
                .isInstanceOf(ServingException.class);
    }

    @Test
    void mutatedTemplatesRenderOrAreRefused() {
        List<String> sources = new ArrayList<>();
        for (String name : List.of("chat-markup", "headers-json", "bracketed", "strict-turns")) {
            sources.add(TestingTemplates.own(name));
        }
        Map<?, ?> conversation = TestingTemplates.lines("conversations.jsonl").get(13);
        @SuppressWarnings("unchecked")
        Map<String, Object> variables = (Map<String, Object>) conversation.get("variables");
        for (long seed = 0; seed < 3000; seed++) {
            Random random = new Random(seed);
            StringBuilder source = new StringBuilder(sources.get(random.nextInt(sources.size())));
            for (int i = random.nextInt(6); i >= 0; i--) {
                int from = random.nextInt(source.length());
                int to = Math.min(source.length(), from + random.nextInt(12));
                String piece = source.substring(from, to);
                switch (random.nextInt(4)) {
                    case 0 -> source.delete(from, to);
                    case 1 -> source.insert(random.nextInt(source.length()), piece);
                    case 2 -> source.insert(from, (char) random.nextInt(128));
                    default -> source.setCharAt(from, "{}%#|()[]'\"-~.,:= \n".charAt(random.nextInt(19)));
                }
            }
            try {
                ChatTemplate.compile(source.toString(), SMALL, Clock.systemUTC())
                        .render(variables);
            } catch (ServingException expected) {
                assertThat(expected.code()).as("seed %d", seed).isNotEqualTo(ErrorCode.INTERNAL);
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ": " + source, e);
            }
        }
    }

    private static void attempt(String source) {
        try {
            TestingTemplates.compile(source).render(Map.of());
        } catch (ServingException expected) {
            assertThat(expected.code()).isNotEqualTo(ErrorCode.INTERNAL);
        }
    }
}
