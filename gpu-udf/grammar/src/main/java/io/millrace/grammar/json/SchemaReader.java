package io.millrace.grammar.json;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.grammar.json.Schema.ArrayRules;
import io.millrace.grammar.json.Schema.NumberRules;
import io.millrace.grammar.json.Schema.ObjectRules;
import io.millrace.grammar.json.Schema.Others;
import io.millrace.grammar.json.Schema.StringRules;
import io.millrace.grammar.json.Schema.Text;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads all subschemas that a schema reaches, and refuses each keyword that is not obeyed. */
final class SchemaReader {
    private static final Pattern INDEX = Pattern.compile("0|[1-9][0-9]{0,8}");

    /** Most characters of a place: each schema keeps its own. */
    private static final int MAX_PATH_CHARS = 4_000;

    private final JsonNode root;
    private final String rootPath;
    private final SchemaLimits limits;
    private final Map<String, Schema> schemas = new HashMap<>();

    /** Targets of references that are to be read, by their places. */
    private final Deque<Map.Entry<String, JsonNode>> targets = new ArrayDeque<>();

    private long textChars;

    private SchemaReader(JsonNode root, String rootPath, SchemaLimits limits) {
        this.root = root;
        this.rootPath = rootPath;
        this.limits = limits;
    }

    /** A schema, and all that it reaches, by their places. */
    record Document(Schema root, Map<String, Schema> byPath) {
        /** Returns the schema at the place that a reference names. */
        Schema at(String path) {
            return requireNonNull(byPath.get(path), path);
        }
    }

    static Document read(JsonNode schema, String path, SchemaLimits limits) {
        SchemaReader reader = new SchemaReader(schema, path, limits);
        Schema root = reader.schema(schema, path, 0);
        while (!reader.targets.isEmpty()) {
            Map.Entry<String, JsonNode> target = reader.targets.remove();
            reader.schema(target.getValue(), target.getKey(), 0);
        }
        return new Document(root, Map.copyOf(reader.schemas));
    }

    private Schema schema(JsonNode node, String path, int depth) {
        Schema known = schemas.get(path);
        if (known != null) {
            return known;
        }
        if (path.length() > MAX_PATH_CHARS) {
            throw SchemaErrors.refused(path, "the names on the way to this schema are too long");
        }
        if (depth > limits.maxDepth()) {
            throw SchemaErrors.refused(path, "schemas are nested deeper than " + limits.maxDepth());
        }
        if (schemas.size() >= limits.maxSchemas()) {
            throw SchemaErrors.refused(path, "there are more than " + limits.maxSchemas() + " schemas");
        }
        Schema schema;
        if (node.isBoolean()) {
            schema = Schema.of(path, node.booleanValue());
        } else if (node.isObject()) {
            schema = object(node, path, depth);
        } else {
            throw SchemaErrors.refused(path, "a schema is an object, true or false");
        }
        schemas.put(path, schema);
        return schema;
    }

    private Schema object(JsonNode node, String path, int depth) {
        Keywords keywords = new Keywords(node, path, limits);
        keywords.checkKnown(path.equals(rootPath));
        return new Schema(
                path,
                keywords.types(),
                values(keywords),
                new NumberRules(
                        keywords.bound("minimum", "exclusiveMinimum", 1),
                        keywords.bound("maximum", "exclusiveMaximum", -1)),
                strings(keywords, path),
                new ArrayRules(
                        keywords.count("minItems", 0),
                        keywords.count("maxItems", Integer.MAX_VALUE),
                        orEmpty(list(keywords, "prefixItems", depth)),
                        child(keywords, "items", depth)),
                objects(keywords, path, depth),
                new Others(
                        reference(keywords),
                        orEmpty(list(keywords, "allOf", depth)),
                        list(keywords, "anyOf", depth),
                        list(keywords, "oneOf", depth)));
    }

    private static List<Schema> orEmpty(@Nullable List<Schema> schemas) {
        return schemas == null ? List.of() : schemas;
    }

    private StringRules strings(Keywords keywords, String path) {
        Text pattern = keywords.text("pattern");
        Text format = keywords.text("format");
        if (pattern != null) {
            count(pattern.value(), pattern.path());
        }
        if (format != null && !Formats.isKnown(format.value())) {
            throw SchemaErrors.refused(
                    format.path(), "this format is not supported: " + SchemaErrors.shown(format.value()));
        }
        int minLength = keywords.count("minLength", 0);
        int maxLength = keywords.count("maxLength", Integer.MAX_VALUE);
        boolean none = pattern == null && format == null && minLength == 0 && maxLength == Integer.MAX_VALUE;
        return none ? StringRules.NONE : new StringRules(minLength, maxLength, pattern, format, path);
    }

    private ObjectRules objects(Keywords keywords, String path, int depth) {
        Map<String, Schema> properties = named(keywords, "properties", depth);
        Map<Text, Schema> patterns = new LinkedHashMap<>();
        named(keywords, "patternProperties", depth)
                .forEach((pattern, schema) -> patterns.put(
                        new Text(pattern, SchemaErrors.member(keywords.at("patternProperties"), pattern)), schema));
        Schema additional = child(keywords, "additionalProperties", depth);
        Set<String> required = keywords.required();
        required.forEach(name -> count(name, keywords.at("required")));
        int minProperties = keywords.count("minProperties", 0);
        int maxProperties = keywords.count("maxProperties", Integer.MAX_VALUE);
        boolean none = properties.isEmpty() && patterns.isEmpty() && additional == null && required.isEmpty();
        if (none && minProperties == 0 && maxProperties == Integer.MAX_VALUE) {
            return ObjectRules.NONE;
        }
        return new ObjectRules(properties, patterns, additional, required, minProperties, maxProperties, path);
    }

    private @Nullable Schema child(Keywords keywords, String keyword, int depth) {
        JsonNode value = keywords.get(keyword);
        if (value == null) {
            return null;
        }
        if (value.isArray()) {
            throw keywords.refused(keyword, "a list of schemas is not supported here (see prefixItems)");
        }
        return schema(value, keywords.at(keyword), depth + 1);
    }

    private @Nullable List<Schema> list(Keywords keywords, String keyword, int depth) {
        JsonNode value = keywords.get(keyword);
        if (value == null) {
            return null;
        }
        if (!value.isArray() || value.isEmpty() || value.size() > limits.maxEntries()) {
            throw keywords.refused(keyword, "is a list of 1 to " + limits.maxEntries() + " schemas");
        }
        List<Schema> schemas = new ArrayList<>(value.size());
        for (int i = 0; i < value.size(); i++) {
            schemas.add(schema(value.get(i), SchemaErrors.element(keywords.at(keyword), i), depth + 1));
        }
        return schemas;
    }

    private Map<String, Schema> named(Keywords keywords, String keyword, int depth) {
        Map<String, Schema> named = new LinkedHashMap<>();
        JsonNode value = keywords.get(keyword);
        if (value == null) {
            return named;
        }
        if (!value.isObject() || value.size() > limits.maxEntries()) {
            throw keywords.refused(keyword, "is an object of at most " + limits.maxEntries() + " schemas");
        }
        value.fieldNames().forEachRemaining(name -> {
            String path = SchemaErrors.member(keywords.at(keyword), name);
            count(name, path);
            named.put(name, schema(value.get(name), path, depth + 1));
        });
        return named;
    }

    private @Nullable Map<String, JsonNode> values(Keywords keywords) {
        JsonNode constant = keywords.get("const");
        JsonNode list = keywords.get("enum");
        Map<String, JsonNode> constants = null;
        if (constant != null) {
            checkValue(constant, keywords.at("const"), 0);
            constants = Map.of(JsonValues.key(constant), constant);
        }
        if (list == null) {
            return constants;
        }
        if (!list.isArray() || list.size() > limits.maxEntries()) {
            throw keywords.refused("enum", "is a list of at most " + limits.maxEntries() + " values");
        }
        Map<String, JsonNode> listed = new LinkedHashMap<>();
        for (int i = 0; i < list.size(); i++) {
            checkValue(list.get(i), SchemaErrors.element(keywords.at("enum"), i), 0);
            listed.putIfAbsent(JsonValues.key(list.get(i)), list.get(i));
        }
        if (constants != null) {
            listed.keySet().retainAll(constants.keySet());
        }
        return listed;
    }

    private void checkValue(JsonNode value, String path, int depth) {
        if (depth > limits.maxDepth()) {
            throw SchemaErrors.refused(path, "values are nested deeper than " + limits.maxDepth());
        }
        if (value.isTextual()) {
            count(value.textValue(), path);
        } else if (value.isNumber()) {
            if (!Keywords.isFinite(value) || Keywords.isWide(value.decimalValue())) {
                throw SchemaErrors.refused(path, "a number has too many digits");
            }
            count("number", path);
        } else if (value.isContainerNode()) {
            count("container", path);
            for (JsonNode element : value) {
                checkValue(element, path, depth + 1);
            }
            value.fieldNames().forEachRemaining(name -> count(name, path));
        }
    }

    /** Counts a text that becomes part of the grammar, and refuses what has no UTF-8. */
    private void count(String text, String path) {
        textChars += text.length();
        if (textChars > limits.maxTextChars()) {
            throw SchemaErrors.refused(
                    path, "names, patterns and values have more than " + limits.maxTextChars() + " characters");
        }
        if (text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
            throw SchemaErrors.refused(path, "a text has half of a surrogate pair");
        }
    }

    /** Finds the target of {@code $ref}, and sees to it that it is read. */
    private @Nullable String reference(Keywords keywords) {
        Text text = keywords.text("$ref");
        if (text == null) {
            return null;
        }
        String reference = text.value();
        JsonNode id = root.get("$id");
        if (id != null && id.isTextual() && !id.textValue().isEmpty() && reference.startsWith(id.textValue() + "#")) {
            reference = reference.substring(id.textValue().length());
        }
        if (!reference.equals("#") && !reference.startsWith("#/")) {
            throw SchemaErrors.refused(
                    text.path(), "only references into this schema are supported, such as #/$defs/name");
        }
        JsonNode target = root;
        String path = rootPath;
        for (String step : steps(reference.substring(1), text.path())) {
            boolean index = target.isArray() && INDEX.matcher(step).matches();
            path = index ? path + "[" + step + "]" : SchemaErrors.member(path, step);
            target = index ? target.path(Integer.parseInt(step)) : target.path(step);
            if (target.isMissingNode()) {
                throw SchemaErrors.refused(text.path(), "there is nothing at " + SchemaErrors.shown(reference));
            }
            if (target instanceof ObjectNode && target != root && target.has("$id")) {
                throw SchemaErrors.refused(SchemaErrors.member(path, "$id"), "is supported at the root alone");
            }
        }
        if (!schemas.containsKey(path)) {
            targets.add(Map.entry(path, target));
        }
        return path;
    }

    private List<String> steps(String pointer, String path) {
        if (pointer.isEmpty()) {
            return List.of();
        }
        String decoded;
        try {
            decoded = URLDecoder.decode(pointer.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw SchemaErrors.refused(path, "is no JSON pointer");
        }
        List<String> steps = new ArrayList<>();
        for (String step : decoded.substring(1).split("/", -1)) {
            steps.add(step.replace("~1", "/").replace("~0", "~"));
        }
        if (steps.size() > 2 * limits.maxDepth() + 2) {
            throw SchemaErrors.refused(path, "is too long");
        }
        return steps;
    }
}
