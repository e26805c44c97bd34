package io.millrace.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Holds the edges between Millrace's parts. Every rule is checked twice: Millrace keeps it, and the fixtures below
 * {@code io.millrace.architecture.fixtures}, which break each of them, do not.
 */
class ArchitectureTest {
    private static final String FIXTURES = "io.millrace.architecture.fixtures";
    private static final List<String> PARTS_WITHOUT_FLINK = List.of(
            "proto",
            "kv",
            "model",
            "text",
            "grammar",
            "engine",
            "backend.cpu",
            "backend.sim",
            "connector.port",
            "gateway");
    private static final List<String> PARTS_OF_KAFKA_WITHOUT_FLINK =
            List.of("connector.kafka.records", "connector.kafka.port", "connector.kafka.broker");

    private static JavaClasses millrace;
    private static JavaClasses fixtures;

    @BeforeAll
    static void importClasses() {
        millrace = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("io.millrace");
        fixtures = new ClassFileImporter().importPackages(FIXTURES);
        assertThat(millrace.size()).isGreaterThan(100);
    }

    @TestFactory
    Stream<DynamicTest> partsUseWhatTheyMay() {
        return Edges.partNames().stream()
                .map(part -> DynamicTest.dynamicTest(
                        part,
                        () -> rules("io.millrace").partUsesOnlyWhatItMay(part).check(millrace)));
    }

    @TestFactory
    Stream<DynamicTest> partsAreFreeOfFlinkAndKafka() {
        return PARTS_WITHOUT_FLINK.stream()
                .map(part -> DynamicTest.dynamicTest(
                        part, () -> rules("io.millrace").noFlink(part).check(millrace)));
    }

    @TestFactory
    Stream<DynamicTest> whatGatewaysUseIsFreeOfFlink() {
        return PARTS_OF_KAFKA_WITHOUT_FLINK.stream()
                .map(part -> DynamicTest.dynamicTest(
                        part,
                        () -> rules("io.millrace").noFlinkBesideKafka(part).check(millrace)));
    }

    @TestFactory
    Stream<DynamicTest> librariesStayInTheirPlaces() {
        return libraryRules("io.millrace")
                .map(rule -> DynamicTest.dynamicTest(rule.getDescription(), () -> rule.check(millrace)));
    }

    @TestFactory
    Stream<DynamicTest> everyRuleCanFail() {
        Edges edges = rules(FIXTURES);
        Stream<ArchRule> rules = Stream.concat(
                Stream.of(
                        edges.partUsesOnlyWhatItMay("engine"),
                        edges.noFlink("engine"),
                        edges.partUsesOnlyWhatItMay("grammar"),
                        edges.noFlink("grammar"),
                        edges.partUsesOnlyWhatItMay("backend.sim"),
                        edges.noFlink("backend.sim"),
                        edges.partUsesOnlyWhatItMay("connector.kafka.records"),
                        edges.noFlinkBesideKafka("connector.kafka.records"),
                        edges.partUsesOnlyWhatItMay("connector.kafka.port"),
                        edges.noFlinkBesideKafka("connector.kafka.port"),
                        edges.partUsesOnlyWhatItMay("connector.kafka.broker"),
                        edges.partUsesOnlyWhatItMay("connector.kafka")),
                libraryRules(FIXTURES));
        return rules.map(rule -> DynamicTest.dynamicTest(rule.getDescription(), () -> {
            assertThatThrownBy(() -> rule.check(fixtures))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("was violated");
        }));
    }

    private static Stream<ArchRule> libraryRules(String root) {
        Edges edges = rules(root);
        return Stream.of(
                edges.vectorApiStaysInItsKernels(),
                edges.jcudaStaysInItsBackend(),
                edges.rocksDbStaysInItsTier(),
                edges.coreIsDeterministic());
    }

    private static Edges rules(String root) {
        return new Edges(root);
    }
}
