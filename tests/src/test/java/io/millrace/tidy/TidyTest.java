package io.millrace.tidy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Reads the tree and holds it to CONTRIBUTING.md; each rule is shown to fail on what breaks it. */
class TidyTest {
    private static Map<String, String> files;
    private static Map<String, String> mainSources;

    @BeforeAll
    static void readTree() throws Exception {
        files = SourceTree.textFiles();
        mainSources = new TreeMap<>(files);
        mainSources.keySet().removeIf(path -> !path.endsWith(".java") || !path.contains("src/main/java/"));
        assertThat(mainSources).hasSizeGreaterThan(20);
    }

    @Test
    void linesAreShort() {
        assertThat(broken(mainSources, JavaRules::linesAreShort)).isEmpty();
    }

    @Test
    void filesAreShort() {
        assertThat(broken(mainSources, JavaRules::filesAreShort)).isEmpty();
    }

    @Test
    void methodsFitAScreenAndNamesSaySomething() throws Exception {
        assertThat(JavaRules.methodsAndNames(mainSources)).isEmpty();
    }

    @Test
    void notesHaveReasons() {
        assertThat(broken(files, TextRules::notesHaveReasons)).isEmpty();
    }

    @Test
    void noRegistryHosts() {
        assertThat(broken(files, TextRules::noRegistryHosts)).isEmpty();
    }

    @Test
    void noMachinePaths() {
        assertThat(broken(files, TextRules::noMachinePaths)).isEmpty();
    }

    @Test
    void everyPackageSaysWhatItIs() {
        List<String> silent = mainSources.keySet().stream()
                .map(path -> path.substring(0, path.lastIndexOf('/') + 1))
                .distinct()
                .filter(folder -> !mainSources.containsKey(folder + "package-info.java"))
                .toList();
        assertThat(silent).isEmpty();
    }

    @Test
    void everyOptionIsDocumented() throws Exception {
        List<String> keys = DocumentedNames.optionKeys("io.millrace");
        assertThat(keys).isNotEmpty();
        assertThat(DocumentedNames.missingFrom(page("docs/configuration.md"), keys))
                .isEmpty();
    }

    @Test
    void everyMetricIsDocumented() throws Exception {
        List<String> names = DocumentedNames.metricNames("io.millrace");
        assertThat(names).isNotEmpty();
        assertThat(DocumentedNames.missingFrom(page("docs/metrics.md"), names)).isEmpty();
    }

    /** Every rule fails on what it is there to find. */
    @Nested
    class RulesCanFail {
        @Test
        void onLongLines() {
            assertThat(JavaRules.linesAreShort("A.java", "ok\n" + "x".repeat(121)))
                    .containsExactly("A.java:2 has 121 characters, over 120");
        }

        @Test
        void onLongFiles() {
            assertThat(JavaRules.filesAreShort("A.java", "\n".repeat(601))).hasSize(1);
            assertThat(JavaRules.filesAreShort("A.java", "\n".repeat(600))).isEmpty();
        }

        @Test
        void onLongMethodsAndEmptyNames() throws Exception {
            String source = "package a;\nclass AHelper {\n void m() {\n" + "\n".repeat(70) + " }\n}\n";
            assertThat(JavaRules.methodsAndNames(Map.of("a/AHelper.java", source)))
                    .hasSize(2)
                    .anyMatch(line -> line.startsWith("a/AHelper.java:2 class AHelper"))
                    .anyMatch(line -> line.startsWith("a/AHelper.java:3 method m has 72 lines"));
        }

        @Test
        void onNotesWithoutAReason() {
            String word = "TO" + "DO";
            assertThat(TextRules.notesHaveReasons("a", "// " + word + " later")).hasSize(1);
            assertThat(TextRules.notesHaveReasons("a", "// " + word + "(needs 2.4): use it"))
                    .isEmpty();
        }

        @Test
        void onRegistryHosts() {
            for (String host : List.of("repo.mav" + "en.apache.org", "py" + "pi.org", "registry.np" + "mjs.org")) {
                assertThat(TextRules.noRegistryHosts("a", "https://" + host + "/x"))
                        .hasSize(1);
            }
            assertThat(TextRules.noRegistryHosts("a", "http://maven.apache.org/POM/4.0.0"))
                    .isEmpty();
        }

        @Test
        void onMachinePaths() {
            assertThat(TextRules.noMachinePaths("a", "cd /ho" + "me/me/src")).hasSize(1);
            assertThat(TextRules.noMachinePaths("a", "GET /v1/models; src/home/a; ~/.cache"))
                    .isEmpty();
        }

        @Test
        void onUndocumentedNames() throws Exception {
            List<String> keys = DocumentedNames.missingFrom("`a.b`", List.of("a.b", "a.c"));
            assertThat(keys).containsExactly("a.c");
            assertThat(TestingOptions.OPTION.key()).isEqualTo("testing.option");
        }
    }

    /** An options class, as the scan finds them. */
    static final class TestingOptions {
        static final ConfigOption<Integer> OPTION =
                ConfigOptions.key("testing.option").intType().defaultValue(1);

        private TestingOptions() {}
    }

    private static List<String> broken(Map<String, String> sources, BiFunction<String, String, List<String>> rule) {
        List<String> found = new ArrayList<>();
        sources.forEach((path, text) -> found.addAll(rule.apply(path, text)));
        return found;
    }

    private static String page(String path) throws Exception {
        return Files.readString(SourceTree.root().resolve(path));
    }
}
