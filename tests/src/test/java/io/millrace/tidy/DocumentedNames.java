package io.millrace.tidy;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.configuration.ConfigOption;

/** The options and metrics that the code declares, and which of them a page does not tell of. */
final class DocumentedNames {
    private DocumentedNames() {}

    /** Keys of all {@code ConfigOption} constants of Millrace. */
    static List<String> optionKeys(String... packages) throws ReflectiveOperationException {
        List<String> keys = new ArrayList<>();
        for (JavaClass type : classes(packages)) {
            for (JavaField field : type.getFields()) {
                if (field.getModifiers().contains(JavaModifier.STATIC)
                        && field.getRawType().isEquivalentTo(ConfigOption.class)) {
                    keys.add(((ConfigOption<?>) value(field)).key());
                }
            }
        }
        return keys;
    }

    /** Values of all text constants of the classes whose name ends with {@code Metrics}. */
    static List<String> metricNames(String... packages) throws ReflectiveOperationException {
        List<String> names = new ArrayList<>();
        for (JavaClass type : classes(packages)) {
            if (!type.getSimpleName().endsWith("Metrics")) {
                continue;
            }
            for (JavaField field : type.getFields()) {
                if (field.getModifiers().contains(JavaModifier.STATIC)
                        && field.getRawType().isEquivalentTo(String.class)) {
                    names.add((String) value(field));
                }
            }
        }
        return names;
    }

    /** Names that a page does not have in back quotes. */
    static List<String> missingFrom(String page, List<String> names) {
        return names.stream().filter(name -> !page.contains("`" + name + "`")).toList();
    }

    private static Iterable<JavaClass> classes(String... packages) {
        return new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages(packages);
    }

    private static Object value(JavaField javaField) throws ReflectiveOperationException {
        Field field = Class.forName(javaField.getOwner().getName()).getDeclaredField(javaField.getName());
        field.setAccessible(true);
        return field.get(null);
    }
}
