package io.millrace.grammar.json;

import static io.millrace.grammar.json.TestingValidator.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.grammar.Grammar;
import io.millrace.grammar.GrammarLimits;
import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.kv.testing.Property;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever a client sends as a schema becomes a grammar or a clear error, in little time. */
@Timeout(120)
class SchemaFuzzTest {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    /** All that are read, in an order that is the same in every run, and some that are not. */
    private static final String[] KEYWORDS = Stream.concat(
                    Keywords.READ.stream().sorted(), Stream.of("$defs", "not", "title"))
            .toArray(String[]::new);

    private static final String[] TEXTS = {
        "string",
        "integer",
        "object",
        "array",
        "#",
        "#/$defs/a",
        "#/properties/a",
        "^a",
        "(a|b)*$",
        "[",
        "date",
        "a",
        "",
        "\\",
        "((a*)*)*$",
        "^(a|aa)+$",
        ".*.*.*x.{20}",
        "(?!a)",
        "[a-z]{1000}",
        "ipv6"
    };

    private static boolean compiles(JsonNode schema) {
        try {
            Grammar.compile(JsonSchemaCompiler.compile(schema, SchemaLimits.DEFAULT, "schema"), GrammarLimits.DEFAULT);
            return true;
        } catch (ServingException e) {
            assertThat(e.code()).isEqualTo(ErrorCode.INVALID_REQUEST);
            return false;
        }
    }

    @Test
    void mutatedSchemas() {
        AtomicInteger compiled = new AtomicInteger();
        Property.forAll(5_000, 1_500, random -> {
            ObjectNode schema = TestingSchemas.random(random);
            for (int i = random.nextInt(5); i >= 0; i--) {
                mutate(schema, random);
            }
            if (compiles(schema)) {
                compiled.incrementAndGet();
            }
        });
        assertThat(compiled.get()).isBetween(200, 1_400);
    }

    @Test
    void nonsense() {
        Property.forAll(9_000, 3_000, random -> compiles(junk(random, 0)));
    }

    private static void mutate(ObjectNode schema, Random random) {
        List<ObjectNode> objects = new ArrayList<>();
        collect(schema, objects);
        ObjectNode target = objects.get(random.nextInt(objects.size()));
        String keyword = KEYWORDS[random.nextInt(KEYWORDS.length)];
        switch (random.nextInt(4)) {
            case 0 -> target.remove(keyword);
            case 1 -> target.set(keyword, junk(random, 1));
            case 2 ->
                target.set(keyword, objects.get(random.nextInt(objects.size())).deepCopy());
            default -> {
                ArrayNode list = target.putArray(keyword);
                list.add(objects.get(random.nextInt(objects.size())).deepCopy());
                list.add(junk(random, 2));
            }
        }
    }

    private static void collect(JsonNode node, List<ObjectNode> objects) {
        if (node instanceof ObjectNode object) {
            objects.add(object);
        }
        node.forEach(child -> collect(child, objects));
    }

    private static JsonNode junk(Random random, int depth) {
        return switch (random.nextInt(depth > 4 ? 5 : 8)) {
            case 0 -> NODES.booleanNode(random.nextBoolean());
            case 1 -> NODES.numberNode(random.nextInt(9) - 2);
            case 2 -> random.nextInt(4) == 0 ? NODES.numberNode(random.nextGaussian() * 1e9) : NODES.nullNode();
            case 3, 4 -> NODES.textNode(TEXTS[random.nextInt(TEXTS.length)]);
            case 5 -> {
                ArrayNode array = NODES.arrayNode();
                for (int i = random.nextInt(3); i > 0; i--) {
                    array.add(junk(random, depth + 1));
                }
                yield array;
            }
            default -> {
                ObjectNode object = NODES.objectNode();
                for (int i = random.nextInt(4); i > 0; i--) {
                    object.set(KEYWORDS[random.nextInt(KEYWORDS.length)], junk(random, depth + 1));
                }
                yield object;
            }
        };
    }

    private static void refused(JsonNode schema) {
        assertThatThrownBy(() -> JsonSchemaCompiler.compile(schema, SchemaLimits.DEFAULT, "schema"))
                .isInstanceOf(ServingException.class)
                .satisfies(e -> assertThat(((ServingException) e).param()).startsWith("schema"));
    }

    @Test
    void deepNestingIsRefused() {
        StringBuilder deep = new StringBuilder();
        for (int i = 0; i < 300; i++) {
            deep.append("{'items': ");
        }
        refused(json(deep + "{}" + "}".repeat(300)));
        refused(json("{'const': " + "[".repeat(300) + "]".repeat(300) + "}"));
    }

    @Test
    void hugeListsAreRefused() {
        ObjectNode schema = NODES.objectNode();
        ArrayNode values = schema.putArray("enum");
        for (int i = 0; i < 100_000; i++) {
            values.add("value " + i);
        }
        refused(schema);
        ObjectNode object = NODES.objectNode();
        ObjectNode properties = object.putObject("properties");
        for (int i = 0; i < 50_000; i++) {
            properties.putObject("p" + i);
        }
        refused(object);
        refused(NODES.objectNode().put("const", "x".repeat(1_000_000)));
    }

    @Test
    void exponentialCombinationsAreRefused() {
        ObjectNode schema = NODES.objectNode();
        ArrayNode all = schema.putArray("allOf");
        for (int i = 0; i < 30; i++) {
            ArrayNode any = all.addObject().putArray("anyOf");
            any.addObject().put("type", "string").put("minLength", i);
            any.addObject().put("type", "string").put("maxLength", 100 + i);
        }
        refused(schema);
        // Each definition is two of the one before.
        ObjectNode doubled = NODES.objectNode().put("$ref", "#/$defs/d40");
        ObjectNode definitions = doubled.putObject("$defs");
        definitions.putObject("d0").put("type", "integer");
        for (int i = 1; i <= 40; i++) {
            ArrayNode any = definitions.putObject("d" + i).putArray("anyOf");
            any.addObject().put("$ref", "#/$defs/d" + (i - 1)).put("minimum", i);
            any.addObject().put("$ref", "#/$defs/d" + (i - 1)).put("maximum", 100 + i);
        }
        refused(doubled);
    }

    @Test
    void catastrophicPatternsAreRefusedOrCompiled() {
        refused(json("{'type': 'string', 'pattern': 'a.{60}$'}"));
        refused(json("{'type': 'string', 'pattern': '^(((a{100}){100}){100}){100}$'}"));
        assertThat(compiles(json("{'type': 'string', 'pattern': '^(a+)+$'}"))).isTrue();
        assertThat(compiles(json("{'type': 'string', 'pattern': '^((a*)*)*$'}")))
                .isTrue();
        ObjectNode many = NODES.objectNode();
        ObjectNode properties = many.putObject("properties");
        for (int i = 0; i < 500; i++) {
            properties.putObject("p" + i).put("type", "string").put("pattern", i + ".{8}$");
        }
        refused(many);
    }

    @Test
    void oneOfWithManyBranchesIsRefused() {
        ObjectNode schema = NODES.objectNode();
        ArrayNode branches = schema.putArray("oneOf");
        for (int i = 0; i < 2_000; i++) {
            branches.addObject().put("const", i);
        }
        refused(schema);
    }

    @Test
    void longCountsTakeFewRules() {
        assertThat(compiles(json("{'type': 'string', 'maxLength': 100000}"))).isTrue();
        assertThat(compiles(json("{'type': 'array', 'minItems': 100000, 'items': {'type': 'integer'}}")))
                .isTrue();
        assertThat(compiles(json("{'type': 'object', 'maxProperties': 100000}")))
                .isTrue();
    }
}
