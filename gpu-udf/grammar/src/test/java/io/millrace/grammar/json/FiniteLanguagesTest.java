package io.millrace.grammar.json;

import static io.millrace.grammar.json.TestingValidator.json;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.grammar.Grammar;
import io.millrace.grammar.GrammarLimits;
import io.millrace.grammar.GrammarState;
import io.millrace.grammar.GrammarVocabulary;
import io.millrace.grammar.TokenGrammar;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Brute force over small languages: the texts that the masks let through are those of the valid ones among all values
 * of a small universe, no more and no fewer. What is valid is said by another validator.
 */
class FiniteLanguagesTest {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /** All bytes of the universe's texts, so that nothing outside of it can be written. */
    private static final String ALPHABET = "{}[]\", :abxé-.012nulltrefs";

    private static final String[] SCHEMAS = {
        "true",
        "{'type': 'integer'}",
        "{'type': 'number', 'minimum': -1, 'exclusiveMaximum': 2}",
        "{'type': 'integer', 'exclusiveMinimum': -2, 'maximum': 10}",
        "{'type': 'string', 'minLength': 1, 'maxLength': 2}",
        "{'type': 'string', 'pattern': '^a'}",
        "{'type': 'string', 'pattern': 'b|é$', 'maxLength': 2}",
        "{'type': ['string', 'null'], 'maxLength': 1}",
        "{'enum': ['a', 1, null, [1], {'a': 1}]}",
        "{'type': 'array', 'maxItems': 1}",
        "{'type': 'array', 'items': {'type': 'integer', 'minimum': 0}, 'minItems': 2}",
        "{'type': 'array', 'prefixItems': [{'type': 'string'}, {'type': 'integer'}], 'items': false}",
        "{'type': 'array', 'prefixItems': [{'type': 'integer'}], 'items': {'type': 'null'}, 'minItems': 1}",
        "{'type': 'object', 'properties': {'a': {'type': 'integer'}, 'b': {'type': 'null'}}}",
        "{'type': 'object', 'properties': {'a': {}, 'b': {}}, 'required': ['b'], 'additionalProperties': false}",
        "{'type': 'object', 'additionalProperties': {'type': 'integer'}, 'minProperties': 1}",
        "{'type': 'object', 'maxProperties': 1}",
        "{'type': 'object', 'properties': {'a': {}, 'b': {}}, 'additionalProperties': false, 'minProperties': 2}",
        "{'type': 'object', 'patternProperties': {'a': {'type': 'integer'}}, 'additionalProperties': false}",
        "{'type': 'object', 'patternProperties': {'^a': {'type': 'integer'}, 'a$': {'type': 'null'}}}",
        "{'anyOf': [{'type': 'integer', 'maximum': 0}, {'type': 'array', 'maxItems': 0}, {'const': 'ab'}]}",
        "{'oneOf': [{'type': 'integer', 'maximum': 0}, {'type': 'integer', 'minimum': 10}, {'type': 'object'}]}",
        "{'allOf': [{'type': ['integer', 'array']}, {'minimum': 1, 'maxItems': 1}, {'items': {'type': 'string'}}]}",
        "{'allOf': [{'properties': {'a': {'type': 'integer'}}}, {'additionalProperties': false,"
                + " 'properties': {'b': {}}, 'type': 'object'}]}",
        "{'type': 'array', 'items': {'$ref': '#'}}",
        "{'anyOf': [{'type': 'null'}, {'type': 'array', 'items': {'$ref': '#'}, 'minItems': 1, 'maxItems': 1}]}",
        "{'type': 'object', 'required': ['a'], 'anyOf': [{'properties': {'a': {'const': 1}}}, {'required': ['b']}]}",
        "{'minimum': 1, 'minLength': 1, 'minItems': 1, 'minProperties': 1}",
    };

    @Test
    void masksLetThroughExactlyWhatIsValid() {
        List<JsonNode> universe = universe();
        Random random = new Random(3);
        for (String schema : SCHEMAS) {
            JsonNode node = json(schema);
            TestingValidator validator = new TestingValidator(node);
            TokenGrammar grammar = TestingVocabulary.grammar(node);
            // Objects are equal whatever the order of their members, of which the grammar has one.
            Set<JsonNode> valid = new HashSet<>();
            Set<JsonNode> allowed = new HashSet<>();
            for (JsonNode value : universe) {
                if (validator.isValid(value)) {
                    valid.add(value);
                }
                String text = JsonValues.written(value);
                if (TestingVocabulary.accepts(grammar, text)) {
                    allowed.add(value);
                    assertThat(TestingVocabulary.acceptsInPieces(grammar, text, random))
                            .as("%s of %s in pieces", text, schema)
                            .isTrue();
                }
            }
            assertThat(valid).as(schema).isNotEmpty();
            assertThat(allowed).as(schema).isEqualTo(valid);
        }
    }

    @Test
    void everyTextOfAShortLanguageIsValid() {
        byte[][] tokens = new byte[ALPHABET.getBytes(StandardCharsets.UTF_8).length + 1][];
        byte[] bytes = ALPHABET.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < bytes.length; i++) {
            tokens[i] = new byte[] {bytes[i]};
        }
        int end = bytes.length;
        GrammarVocabulary vocabulary = new GrammarVocabulary(tokens, new int[] {end}, 4 << 20);
        for (String schema : SCHEMAS) {
            JsonNode node = json(schema);
            TestingValidator validator = new TestingValidator(node);
            Grammar grammar = Grammar.compile(
                    JsonSchemaCompiler.compile(node, SchemaLimits.DEFAULT, "schema"), GrammarLimits.DEFAULT);
            Set<String> texts = new TreeSet<>();
            collect(new TokenGrammar(grammar, vocabulary).start(), new StringBuilder(), tokens, texts);
            for (String text : texts) {
                String utf8 = new String(text.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
                assertThat(validator.errors(utf8)).as("%s of %s", utf8, schema).isEmpty();
            }
        }
    }

    /** Collects all texts of few bytes. */
    private static void collect(GrammarState state, StringBuilder text, byte[][] tokens, Set<String> texts) {
        if (state.mayEnd()) {
            texts.add(text.toString());
        }
        if (text.length() >= 6 || texts.size() > 3_000) {
            return;
        }
        for (int token = 0; token < tokens.length - 1; token++) {
            if (TestingVocabulary.isAllowed(state, token)) {
                text.append((char) (tokens[token][0] & 0xFF));
                collect(requireNonNull(state.after(token)), text, tokens, texts);
                text.setLength(text.length() - 1);
            }
        }
    }

    /** Small values: scalars, and arrays and objects of up to two of a few of them, some nested. */
    private static List<JsonNode> universe() {
        List<JsonNode> scalars = new ArrayList<>();
        scalars.add(NODES.nullNode());
        scalars.add(NODES.booleanNode(true));
        scalars.add(NODES.booleanNode(false));
        for (int i = -12; i <= 12; i++) {
            scalars.add(NODES.numberNode(i));
        }
        for (String number : new String[] {"0.5", "-0.5", "-1.5", "1.5", "2.25", "-1.01", "1.99"}) {
            scalars.add(NODES.numberNode(new BigDecimal(number)));
        }
        for (String text : new String[] {"", "a", "b", "é", "\"", "ab", "ba", "aé", "bé", "\\a", "abb", "aaa", "\n"}) {
            scalars.add(NODES.textNode(text));
        }
        List<JsonNode> few = List.of(
                NODES.nullNode(),
                NODES.numberNode(1),
                NODES.numberNode(0),
                NODES.numberNode(-1),
                NODES.textNode("a"),
                NODES.textNode("ab"),
                NODES.arrayNode(),
                NODES.objectNode());
        List<JsonNode> all = new ArrayList<>(scalars);
        containers(few, all);
        List<JsonNode> nested = new ArrayList<>();
        containers(List.of(NODES.numberNode(1), NODES.nullNode()), nested);
        containers(nested.subList(0, 12), all);
        return all;
    }

    private static void containers(List<JsonNode> elements, List<JsonNode> all) {
        String[] names = {"a", "b", "ab", "x", ""};
        all.add(NODES.arrayNode());
        all.add(NODES.objectNode());
        for (JsonNode first : elements) {
            all.add(NODES.arrayNode().add(first));
            for (String name : names) {
                all.add(object(name, first));
            }
            for (JsonNode second : elements) {
                ArrayNode two = NODES.arrayNode().add(first).add(second);
                all.add(two);
                all.add(two.deepCopy().add(1));
                for (String name : names) {
                    for (String other : names) {
                        if (!name.equals(other)) {
                            all.add(object(name, first).set(other, second));
                        }
                    }
                }
            }
        }
    }

    private static ObjectNode object(String name, JsonNode value) {
        ObjectNode object = NODES.objectNode();
        object.set(name, value);
        return object;
    }
}
