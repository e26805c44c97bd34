package io.millrace.grammar.json;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.grammar.json.Schema.Bound;
import io.millrace.grammar.json.Schema.Text;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What several schemas ask of one value together, apart from {@link Schema.Others}. Exact: a value matches the shape if
 * and only if it matches every part.
 *
 * @param parts the schemas
 */
record Shape(List<Schema> parts) {
    Shape {
        parts = List.copyOf(parts);
    }

    Set<JsonType> types() {
        Set<JsonType> types = EnumSet.allOf(JsonType.class);
        parts.forEach(part -> types.retainAll(part.types()));
        return types;
    }

    /** Returns the values that all lists of values have in common, or null where there is no such list. */
    @Nullable
    Collection<JsonNode> values() {
        Map<String, JsonNode> values = null;
        for (Schema part : parts) {
            if (part.values() != null && values == null) {
                values = new LinkedHashMap<>(part.values());
            } else if (part.values() != null && values != null) {
                values.keySet().retainAll(part.values().keySet());
            }
        }
        return values == null ? null : values.values();
    }

    @Nullable
    Bound least() {
        Bound least = null;
        for (Schema part : parts) {
            least = tighter(least, part.numbers().least(), 1);
        }
        return least;
    }

    @Nullable
    Bound most() {
        Bound most = null;
        for (Schema part : parts) {
            most = tighter(most, part.numbers().most(), -1);
        }
        return most;
    }

    private static @Nullable Bound tighter(@Nullable Bound left, @Nullable Bound right, int sign) {
        if (left == null || right == null) {
            return left == null ? right : left;
        }
        int order = left.value().compareTo(right.value()) * sign;
        return order > 0 || (order == 0 && left.exclusive()) ? left : right;
    }

    /** Whether no number is between the limits. */
    boolean hasNoNumber(boolean integer) {
        Bound least = least();
        Bound most = most();
        if (least == null || most == null) {
            return false;
        }
        int order = least.value().compareTo(most.value());
        if (order > 0 || (order == 0 && (least.exclusive() || most.exclusive()))) {
            return true;
        }
        return integer && Numbers.isEmptyOfIntegers(least, most);
    }

    int minLength() {
        return parts.stream().mapToInt(part -> part.strings().minLength()).max().orElse(0);
    }

    int maxLength() {
        return parts.stream().mapToInt(part -> part.strings().maxLength()).min().orElse(Integer.MAX_VALUE);
    }

    List<Text> patterns() {
        List<Text> patterns = new ArrayList<>();
        Set<String> known = new LinkedHashSet<>();
        for (Schema part : parts) {
            Text pattern = part.strings().pattern();
            if (pattern != null && known.add(pattern.value())) {
                patterns.add(pattern);
            }
        }
        return patterns;
    }

    List<Text> formats() {
        List<Text> formats = new ArrayList<>();
        Set<String> known = new LinkedHashSet<>();
        for (Schema part : parts) {
            Text format = part.strings().format();
            if (format != null && known.add(format.value())) {
                formats.add(format);
            }
        }
        return formats;
    }

    int minItems() {
        return parts.stream().mapToInt(part -> part.arrays().minItems()).max().orElse(0);
    }

    int maxItems() {
        return parts.stream().mapToInt(part -> part.arrays().maxItems()).min().orElse(Integer.MAX_VALUE);
    }

    /** Returns how many elements have schemas of their own. */
    int prefixItems() {
        return parts.stream()
                .mapToInt(part -> part.arrays().prefix().size())
                .max()
                .orElse(0);
    }

    /** Returns what the element at an index must match. */
    List<Schema> item(int index) {
        List<Schema> schemas = new ArrayList<>();
        for (Schema part : parts) {
            Schema item = part.arrays().at(index);
            if (item != null) {
                schemas.add(item);
            }
        }
        return schemas;
    }

    Set<String> required() {
        Set<String> required = new LinkedHashSet<>();
        parts.forEach(part -> required.addAll(part.objects().required()));
        return required;
    }

    int minProperties() {
        return parts.stream()
                .mapToInt(part -> part.objects().minProperties())
                .max()
                .orElse(0);
    }

    int maxProperties() {
        return parts.stream()
                .mapToInt(part -> part.objects().maxProperties())
                .min()
                .orElse(Integer.MAX_VALUE);
    }

    /** Returns the names that some part declares or requires: the declared ones first, in order. */
    Set<String> names() {
        Set<String> names = new LinkedHashSet<>();
        parts.forEach(part -> names.addAll(part.objects().properties().keySet()));
        names.addAll(required());
        return names;
    }

    /** Returns the patterns of names of all parts. */
    Map<String, Text> namePatterns() {
        Map<String, Text> patterns = new LinkedHashMap<>();
        for (Schema part : parts) {
            part.objects().patterns().keySet().forEach(text -> patterns.putIfAbsent(text.value(), text));
        }
        return patterns;
    }

    /**
     * Returns what the value of a property must match.
     *
     * @param name the property's name, or null where no part declares it
     * @param matched patterns that the name matches
     */
    List<Schema> property(@Nullable String name, Set<String> matched) {
        List<Schema> schemas = new ArrayList<>();
        for (Schema part : parts) {
            Schema declared = name == null ? null : part.objects().properties().get(name);
            int before = schemas.size();
            if (declared != null) {
                schemas.add(declared);
            }
            part.objects().patterns().forEach((pattern, schema) -> {
                if (matched.contains(pattern.value())) {
                    schemas.add(schema);
                }
            });
            Schema additional = part.objects().additional();
            if (schemas.size() == before && additional != null) {
                schemas.add(additional);
            }
        }
        return schemas;
    }

    /** Returns where something is said of the objects of this shape. */
    String objectsPath() {
        return parts.stream()
                .filter(part -> !part.objects().path().isEmpty())
                .findFirst()
                .map(part -> part.objects().path())
                .orElse("");
    }

    /** Whether a number is between the limits of every part. */
    boolean hasNumber(BigDecimal number) {
        return isWithin(number, least(), 1) && isWithin(number, most(), -1);
    }

    private static boolean isWithin(BigDecimal number, @Nullable Bound bound, int sign) {
        if (bound == null) {
            return true;
        }
        int order = number.compareTo(bound.value()) * sign;
        return order > 0 || (order == 0 && !bound.exclusive());
    }
}
