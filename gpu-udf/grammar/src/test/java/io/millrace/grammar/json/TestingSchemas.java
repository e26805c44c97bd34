package io.millrace.grammar.json;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.Random;

/** Random schemas of the keywords that are supported. Some match nothing. */
final class TestingSchemas {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final String[] NAMES = {"id", "name", "a", "b", "kind", "items", "x y", "q\"t", "é", "€", "next"};
    private static final String[] PATTERNS = {
        "^[a-z]{1,5}$",
        "ab+c",
        "^(foo|bar)-[0-9]{2,3}$",
        "^\\d{3}-\\d{4}$",
        "[A-Z]$",
        "^x",
        "^[^\"\\\\]{2,4}$",
        "\\\\",
        "^[a-zA-Z_][a-zA-Z0-9_]*$",
        "^.{2,5}$",
        "^(a|b)*$",
        "é|€",
        "^#([0-9a-f]{3}){1,2}$"
    };
    private static final String[] FORMATS = {"date", "time", "date-time", "uuid", "ipv4", "ipv6", "hostname", "uri"};

    private final Random random;
    private int schemas;

    private TestingSchemas(Random random) {
        this.random = random;
    }

    static ObjectNode random(Random random) {
        TestingSchemas self = new TestingSchemas(random);
        ObjectNode definitions = NODES.objectNode();
        definitions.set("leaf", self.schema(2));
        definitions.set("tree", self.tree());
        JsonNode body = self.schema(0);
        ObjectNode root = body.isObject() ? (ObjectNode) body : NODES.objectNode();
        root.set("$defs", definitions);
        return root;
    }

    private boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    private String pick(String[] texts) {
        return texts[random.nextInt(texts.length)];
    }

    /** An object that may hold itself. */
    private ObjectNode tree() {
        ObjectNode tree = typed("object");
        ObjectNode properties = tree.putObject("properties");
        properties.set("value", schema(3));
        properties.putObject("next").put("$ref", "#/$defs/tree");
        if (chance(50)) {
            properties
                    .putObject("children")
                    .put("type", "array")
                    .putObject("items")
                    .put("$ref", "#/$defs/tree");
        }
        tree.putArray("required").add("value");
        tree.put("additionalProperties", false);
        return tree;
    }

    private JsonNode schema(int depth) {
        if (++schemas > 40) {
            return NODES.booleanNode(true);
        }
        int kind = random.nextInt(depth >= 3 ? 8 : 16);
        ObjectNode schema = switch (kind) {
            case 0 -> typed("boolean");
            case 1 -> typed("null");
            case 2 -> listed();
            case 3, 4 -> string();
            case 5, 6 -> number();
            case 7 -> NODES.objectNode().put("$ref", chance(50) ? "#/$defs/leaf" : "#/$defs/tree");
            case 8 -> array(depth);
            case 9 -> tuple(depth);
            case 10 -> anyOf(depth);
            case 11 -> oneOf(depth);
            case 12 -> allOf(depth);
            default -> object(depth);
        };
        if (kind == 7 && depth >= 2) {
            // A leaf that refers to itself has no end.
            return typed("string");
        }
        if (chance(20)) {
            schema.put("description", "said \"so\"");
        }
        return schema;
    }

    private static ObjectNode typed(String type) {
        return NODES.objectNode().put("type", type);
    }

    private ObjectNode listed() {
        ObjectNode schema = NODES.objectNode();
        if (chance(30)) {
            schema.set("const", value());
            return schema;
        }
        ArrayNode values = schema.putArray("enum");
        for (int i = random.nextInt(4); i >= 0; i--) {
            values.add(value());
        }
        return schema;
    }

    private JsonNode value() {
        return switch (random.nextInt(6)) {
            case 0 -> NODES.numberNode(random.nextInt(30) - 10);
            case 1 -> NODES.numberNode(new BigDecimal("0.5"));
            case 2 -> NODES.nullNode();
            case 3 -> NODES.arrayNode().add(1).add("a\nb");
            case 4 -> NODES.objectNode().put("k", true).put("é", "\\");
            default -> NODES.textNode(pick(NAMES));
        };
    }

    private ObjectNode string() {
        ObjectNode schema = typed("string");
        if (chance(30)) {
            schema.put("pattern", pick(PATTERNS));
        } else if (chance(35)) {
            schema.put("format", pick(FORMATS));
            return schema;
        }
        if (chance(40)) {
            int min = random.nextInt(4);
            schema.put("minLength", min);
            schema.put("maxLength", min + random.nextInt(chance(10) ? 300 : 6));
        }
        return schema;
    }

    private ObjectNode number() {
        ObjectNode schema = typed(chance(60) ? "integer" : "number");
        BigDecimal low = BigDecimal.valueOf(random.nextInt(4_000) - 2_000, random.nextInt(4));
        BigDecimal high = low.add(BigDecimal.valueOf(1 + random.nextInt(30_000), random.nextInt(3)));
        if (chance(50)) {
            schema.put(chance(50) ? "minimum" : "exclusiveMinimum", low);
        }
        if (chance(50)) {
            schema.put(chance(50) ? "maximum" : "exclusiveMaximum", high);
        }
        return schema;
    }

    private ObjectNode array(int depth) {
        ObjectNode schema = typed("array");
        schema.set("items", schema(depth + 1));
        if (chance(50)) {
            int min = random.nextInt(3);
            schema.put("minItems", min);
            schema.put("maxItems", min + random.nextInt(4));
        }
        return schema;
    }

    private ObjectNode tuple(int depth) {
        ObjectNode schema = typed("array");
        ArrayNode prefix = schema.putArray("prefixItems");
        for (int i = random.nextInt(3); i >= 0; i--) {
            prefix.add(schema(depth + 1));
        }
        if (chance(60)) {
            schema.set("items", chance(50) ? NODES.booleanNode(false) : schema(depth + 1));
        }
        if (chance(50)) {
            schema.put("minItems", random.nextInt(4));
        }
        return schema;
    }

    private ObjectNode object(int depth) {
        ObjectNode schema = typed("object");
        ObjectNode properties = schema.putObject("properties");
        ArrayNode required = NODES.arrayNode();
        int count = random.nextInt(5);
        for (int i = 0; i < count; i++) {
            String name = pick(NAMES);
            properties.set(name, schema(depth + 1));
            if (chance(50) && !required.toString().contains(name)) {
                required.add(name);
            }
        }
        if (!required.isEmpty() || chance(30)) {
            schema.set("required", required);
        }
        if (chance(15)) {
            schema.putObject("patternProperties").set(chance(50) ? "^x-" : "[0-9]$", schema(depth + 1));
        }
        if (chance(70)) {
            schema.set("additionalProperties", chance(70) ? NODES.booleanNode(false) : schema(depth + 1));
        }
        if (chance(10)) {
            schema.put("minProperties", Math.min(properties.size(), required.size() + 1));
        }
        if (chance(10)) {
            schema.put("maxProperties", required.size() + random.nextInt(3));
        }
        return schema;
    }

    private ObjectNode anyOf(int depth) {
        ObjectNode schema = NODES.objectNode();
        ArrayNode branches = schema.putArray("anyOf");
        for (int i = random.nextInt(3); i >= 0; i--) {
            branches.add(schema(depth + 1));
        }
        if (chance(30)) {
            schema.putArray("type").add("string").add("object").add("integer");
        }
        return schema;
    }

    /** Objects that a constant tells apart, or different types. */
    private ObjectNode oneOf(int depth) {
        ObjectNode schema = NODES.objectNode();
        ArrayNode branches = schema.putArray("oneOf");
        if (chance(40)) {
            branches.add(string());
            branches.add(number());
            branches.add(typed("null"));
            return schema;
        }
        for (int i = 0; i < 2; i++) {
            ObjectNode branch = object(depth + 1);
            ObjectNode properties = (ObjectNode) branch.get("properties");
            properties.putObject("kind").put("const", "kind" + i);
            ArrayNode required = branch.putArray("required");
            required.add("kind");
            branch.remove("minProperties");
            branch.remove("maxProperties");
            branches.add(branch);
        }
        return schema;
    }

    private ObjectNode allOf(int depth) {
        ObjectNode schema = NODES.objectNode();
        ArrayNode parts = schema.putArray("allOf");
        if (chance(50)) {
            parts.add(number().put("type", "number"));
            parts.add(number());
        } else {
            parts.add(object(depth + 1));
            parts.add(object(depth + 1));
        }
        return schema;
    }
}
