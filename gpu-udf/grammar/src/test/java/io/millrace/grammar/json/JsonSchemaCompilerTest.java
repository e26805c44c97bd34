package io.millrace.grammar.json;

import static io.millrace.grammar.json.TestingValidator.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.grammar.TokenGrammar;
import io.millrace.kv.ServingException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each keyword: texts that it allows, and texts that it does not. Single quotes stand for double ones. */
class JsonSchemaCompilerTest {
    private static void check(String schema, List<String> allowed, List<String> forbidden) {
        JsonNode node = json(schema);
        TokenGrammar grammar = TestingVocabulary.grammar(node);
        TestingValidator validator = new TestingValidator(node);
        for (String text : allowed) {
            String json = text.replace('\'', '"');
            assertThat(validator.errors(json))
                    .as("%s is valid for %s", json, schema)
                    .isEmpty();
            assertThat(TestingVocabulary.accepts(grammar, json))
                    .as("%s for %s", json, schema)
                    .isTrue();
        }
        for (String text : forbidden) {
            String json = text.replace('\'', '"');
            assertThat(TestingVocabulary.accepts(grammar, json))
                    .as("%s for %s", json, schema)
                    .isFalse();
        }
    }

    private static void refused(String schema, String path) {
        assertThatThrownBy(() -> JsonSchemaCompiler.compile(json(schema), SchemaLimits.DEFAULT, "schema"))
                .as(schema)
                .isInstanceOfSatisfying(ServingException.class, e -> {
                    assertThat(e.param()).as(e.getMessage()).isEqualTo("schema" + path);
                    assertThat(e.getMessage()).startsWith("schema" + path + ": ");
                });
    }

    @Test
    void types() {
        check("{'type': 'null'}", List.of("null"), List.of("true", "0", "", "nul", "'null'"));
        check("{'type': 'boolean'}", List.of("true", "false"), List.of("null", "1"));
        check("{'type': 'integer'}", List.of("0", "-1", "120"), List.of("-0", "01", "1.5", "1.0", "1e3", "-", "+1"));
        check(
                "{'type': 'number'}",
                List.of("0", "-1", "0.5", "-0.0", "1e5", "1.25E-7", "6.02e+23"),
                List.of(".5", "1.", "01", "1e", "1e123", "--1", "NaN"));
        check(
                "{'type': 'string'}",
                List.of("''", "'é€𝄞'", "'\\n\\t\\\\\\u00e9\\/'", "'\\ud834\\udd1e'"),
                List.of("'\n'", "'", "'\\x'", "'\\ud834'", "'\\udd1e'", "'\\ud834\\u0041'"));
        check("{'type': 'array'}", List.of("[]", "[1, 'a', [null]]"), List.of("[1,2]", "[ 1]", "[1, ]", "{}"));
        check(
                "{'type': 'object'}",
                List.of("{}", "{'a': 1, 'b': {'c': []}}"),
                List.of("{'a':1}", "{'a': 1,'b': 2}", "{a: 1}", "[]"));
        check("{'type': ['integer', 'null']}", List.of("5", "null"), List.of("'5'", "true"));
        check("true", List.of("1", "'x'", "[{}]"), List.of("", "x"));
        check("{}", List.of("1", "{'a': null}"), List.of("", "{'a'}"));
    }

    @Test
    void valuesInTheFixedForm() {
        check(
                "{'enum': ['a', 1, 1.5, null, [1, 2], {'b': 'x\\n', 'a': {}}]}",
                List.of("'a'", "1", "1.5", "null", "[1, 2]", "{'b': 'x\\n', 'a': {}}"),
                List.of("'b'", "[1,2]", "{'a': {}, 'b': 'x\\n'}", "1.0", "'\\u0061'"));
        check("{'const': 'x/\\u0001'}", List.of("'x/\\u0001'"), List.of("'x'", "'x\\/\\u0001'"));
        check("{'enum': [1, 2, 3], 'const': 2.0}", List.of("2"), List.of("1", "2.0"));
        check("{'enum': ['a', 1, 'bcd'], 'type': 'string', 'maxLength': 2}", List.of("'a'"), List.of("1", "'bcd'"));
        check("{'enum': [1, 5, 9], 'anyOf': [{'minimum': 6}, {'maximum': 2}]}", List.of("1", "9"), List.of("5"));
        check(
                "{'enum': [{'a': 1}, {'a': 'x'}], 'properties': {'a': {'type': 'string'}}}",
                List.of("{'a': 'x'}"),
                List.of("{'a': 1}"));
    }

    @Test
    void numbersInRange() {
        check("{'type': 'integer', 'minimum': -5, 'maximum': 12}", List.of("-5", "0", "12"), List.of("-6", "13"));
        check(
                "{'type': 'integer', 'exclusiveMinimum': 1.5, 'exclusiveMaximum': 4}",
                List.of("2", "3"),
                List.of("1", "4"));
        check("{'type': 'integer', 'minimum': 98}", List.of("98", "100", "12345678901"), List.of("97", "9", "-98"));
        check("{'type': 'integer', 'maximum': -3}", List.of("-3", "-10"), List.of("-2", "0", "3"));
        check(
                "{'type': 'number', 'minimum': 0, 'maximum': 1}",
                List.of("0", "1", "0.0", "1.0", "0.99"),
                List.of("1.01", "-0.1", "-0.0", "1e-1", "2"));
        check(
                "{'type': 'number', 'exclusiveMinimum': -0.25, 'exclusiveMaximum': 10.5}",
                List.of("-0.24", "-0.1", "0", "10.49", "10"),
                List.of("-0.25", "-0.250", "10.5", "10.50", "11"));
        check("{'minimum': 3, 'type': ['number', 'string']}", List.of("3", "3.5", "'a'"), List.of("2.9"));
        check("{'type': 'integer', 'maximum': 1e300}", List.of("1"), List.of());
    }

    @Test
    void stringsByLength() {
        check(
                "{'type': 'string', 'minLength': 2, 'maxLength': 3}",
                List.of("'ab'", "'a€𝄞'", "'\\n\\u0041'", "'\\ud834\\udd1eb'"),
                List.of("'a'", "'abcd'", "''"));
        check("{'type': 'string', 'minLength': 1}", List.of("'a'", "'abcdefghijkl'"), List.of("''"));
        String longest = "'" + "a".repeat(1_000) + "'";
        check(
                "{'type': 'string', 'minLength': 130, 'maxLength': 1000}",
                List.of(longest, "'" + "b".repeat(130) + "'", "'" + "b".repeat(777) + "'"),
                List.of("'" + "b".repeat(129) + "'", "'a" + longest.substring(1)));
    }

    @Test
    void stringsByPattern() {
        check("{'type': 'string', 'pattern': '^a+$'}", List.of("'a'", "'aaa'"), List.of("''", "'ab'", "'\\u0061'"));
        check("{'type': 'string', 'pattern': 'b'}", List.of("'b'", "'abc'", "'€b\\n'"), List.of("'ac'"));
        check(
                "{'type': 'string', 'pattern': '^[^a]$'}",
                List.of("'\\\"'", "'\\\\'", "'\\n'", "'é'"),
                List.of("'a'", "'\n'"));
        check(
                "{'type': 'string', 'pattern': '^[ab]*$', 'minLength': 2, 'maxLength': 3}",
                List.of("'ab'", "'bbb'"),
                List.of("'a'", "'abab'"));
        check(
                "{'allOf': [{'pattern': '^a'}, {'pattern': 'b$'}], 'type': 'string'}",
                List.of("'ab'", "'axxb'"),
                List.of("'a'", "'b'"));
    }

    @Test
    void formats() {
        String[][] cases = {
            {"date", "2024-02-29", "2023-02-29", "2000-02-29", "1900-02-29", "2024-12-31", "2024-13-01"},
            {"time", "23:59:59Z", "24:00:00Z", "01:02:03.5+05:30", "01:02:03", "00:00:00-08:00", "1:02:03Z"},
            {
                "date-time",
                "2024-02-29T00:00:00Z",
                "2024-02-29 00:00:00Z",
                "2024-06-30T12:00:00.25-07:00",
                "2024-06-31T12:00:00Z"
            },
            {"uuid", "123e4567-e89b-12d3-A456-426614174000", "123e4567e89b12d3a456426614174000"},
            {"ipv4", "255.0.10.1", "256.0.0.1", "0.0.0.0", "01.2.3.4"},
            {
                "ipv6",
                "::",
                ":",
                "::1",
                "1::2::3",
                "1:2:3:4:5:6:7:8",
                "1:2:3:4:5:6:7",
                "fe80::1:2",
                "12345::",
                "::ffff:1.2.3.4",
                "::1.2.3"
            },
            {"hostname", "example.com", "-a.b", "a", "a-.b", "xn1-a.b-c.d", "a..b"},
            {"email", "a.b+c@example.com", "a@b@c.de", "x@mail.example.org", ".a@example.com"},
            {
                "uri",
                "https://example.com:80/a/b?c=d#e",
                "//example.com",
                "mailto:a@b.de",
                "http://a b.de",
                "urn:isbn:1",
                "x"
            },
        };
        for (String[] one : cases) {
            for (int i = 1; i < one.length; i += 2) {
                check(
                        "{'type': 'string', 'format': '" + one[0] + "'}",
                        List.of("'" + one[i] + "'"),
                        i + 1 < one.length ? List.of("'" + one[i + 1] + "'") : List.of());
            }
        }
    }

    @Test
    void arrays() {
        check(
                "{'type': 'array', 'items': {'type': 'integer'}, 'minItems': 1, 'maxItems': 3}",
                List.of("[1]", "[1, 2, 3]"),
                List.of("[]", "[1, 2, 3, 4]", "['a']"));
        check(
                "{'type': 'array', 'prefixItems': [{'const': 1}, {'const': 2}], 'items': {'const': 3}}",
                List.of("[]", "[1]", "[1, 2]", "[1, 2, 3, 3]"),
                List.of("[2]", "[1, 3]", "[1, 2, 2]"));
        check(
                "{'type': 'array', 'prefixItems': [{'const': 1}, {'const': 2}], 'items': false, 'minItems': 1}",
                List.of("[1]", "[1, 2]"),
                List.of("[]", "[1, 2, 3]"));
        check("{'type': 'array', 'items': false}", List.of("[]"), List.of("[1]"));
        check("{'type': 'array', 'prefixItems': [true, false, true]}", List.of("[]", "[1]"), List.of("[1, 2]"));
        check("{'type': 'array', 'maxItems': 0}", List.of("[]"), List.of("[1]"));
        check(
                "{'type': 'array', 'items': {'const': 1}, 'minItems': 100, 'maxItems': 200}",
                List.of("[1" + ", 1".repeat(99) + "]", "[1" + ", 1".repeat(199) + "]"),
                List.of("[1" + ", 1".repeat(98) + "]", "[1" + ", 1".repeat(200) + "]"));
    }

    @Test
    void objects() {
        String ab = "{'type': 'object', 'properties': {'a': {'const': 1}, 'b': {'const': 2}}, ";
        check(
                ab + "'required': ['b'], 'additionalProperties': false}",
                List.of("{'b': 2}", "{'a': 1, 'b': 2}"),
                List.of("{}", "{'a': 1}", "{'b': 2, 'a': 1}", "{'b': 2, 'c': 3}"));
        check(
                ab + "'additionalProperties': {'const': 3}}",
                List.of("{}", "{'a': 1}", "{'c': 3}", "{'b': 2, 'c': 3, 'd': 3}", "{'': 3}", "{'aa': 3}"),
                List.of("{'a': 3}", "{'c': 3, 'a': 1}", "{'\\u0061': 3}", "{'b': 2, 'a': 3}"));
        check(
                "{'type': 'object', 'required': ['x']}",
                List.of("{'x': 1}", "{'x': [], 'y': 2}"),
                List.of("{}", "{'y': 2}"));
        check(
                "{'type': 'object', 'patternProperties': {'^n': {'const': 1}, 's$': {'const': 1}, 't$': {'const': 2}},"
                        + " 'additionalProperties': false, 'properties': {'note': {}}}",
                List.of("{'n': 1}", "{'ns': 1}", "{'as': 1, 'n': 1}", "{'note': 1, 't': 2}"),
                List.of("{'nt': 1}", "{'nt': 2}", "{'x': 1}", "{'note': 2}"));
        check(
                "{'type': 'object', 'properties': {'q\\\"\\n': {'const': 1}}}",
                List.of("{'q\\\"\\n': 1}"),
                List.of("{'q\\\"\\n': 2}"));
    }

    @Test
    void objectsByTheNumberOfProperties() {
        String abc = "{'type': 'object', 'properties': {'a': {'const': 1}, 'b': {'const': 1}, 'c': {'const': 1}}, ";
        check(
                abc + "'additionalProperties': false, 'minProperties': 2}",
                List.of("{'a': 1, 'b': 1}", "{'a': 1, 'c': 1}", "{'a': 1, 'b': 1, 'c': 1}"),
                List.of("{}", "{'b': 1}"));
        check(
                abc + "'maxProperties': 2, 'required': ['b'], 'additionalProperties': {'const': 2}}",
                List.of("{'b': 1}", "{'b': 1, 'x': 2}", "{'a': 1, 'b': 1}"),
                List.of("{'a': 1, 'b': 1, 'c': 1}", "{'a': 1, 'b': 1, 'x': 2}", "{'a': 1}"));
        check("{'type': 'object', 'minProperties': 1}", List.of("{'x': 1}", "{'x': 1, 'y': 2}"), List.of("{}"));
        check("{'type': 'object', 'maxProperties': 0}", List.of("{}"), List.of("{'x': 1}"));
        refused("{'type': 'object', 'minProperties': 2}", ".minProperties");
    }

    @Test
    void combinations() {
        check("{'anyOf': [{'type': 'integer'}, {'type': 'string'}]}", List.of("1", "'a'"), List.of("true", "1.5"));
        check(
                "{'type': 'object', 'properties': {'a': {'const': 1}, 'b': {'const': 1}},"
                        + " 'additionalProperties': false, 'anyOf': [{'required': ['a']}, {'required': ['b']}]}",
                List.of("{'a': 1}", "{'b': 1}", "{'a': 1, 'b': 1}"),
                List.of("{}"));
        check(
                "{'allOf': [{'properties': {'a': {'minimum': 2}}, 'required': ['a']},"
                        + " {'type': 'object', 'properties': {'a': {'type': 'integer', 'maximum': 3}},"
                        + " 'additionalProperties': false}]}",
                List.of("{'a': 2}", "{'a': 3}"),
                List.of("{}", "{'a': 1}", "{'a': 4}", "{'a': 2, 'b': 1}"));
        check("{'oneOf': [{'type': 'integer'}, {'type': 'null'}]}", List.of("1", "null"), List.of("'a'"));
        check(
                "{'oneOf': [{'type': 'integer', 'maximum': 2}, {'type': 'number', 'minimum': 3}]}",
                List.of("2", "3.5"),
                List.of("2.5"));
        check(
                "{'oneOf': [{'pattern': '^a', 'type': 'string'}, {'pattern': '^b', 'type': 'string'}]}",
                List.of("'a'", "'bx'"),
                List.of("'c'"));
        check(
                "{'$ref': '#/$defs/p', 'maximum': 5, '$defs': {'p': {'type': 'integer', 'minimum': 4}}}",
                List.of("4", "5"),
                List.of("3", "6"));
        check(
                "{'enum': [1, 2, 'x'], 'oneOf': [{'type': 'integer'}, {'const': 'x'}]}",
                List.of("1", "'x'"),
                List.of("3"));
    }

    @Test
    void recursion() {
        check(
                "{'$ref': '#/$defs/n', '$defs': {'n': {'type': 'object', 'properties': {'v': {'type': 'integer'},"
                        + " 'next': {'$ref': '#/$defs/n'}}, 'required': ['v'], 'additionalProperties': false}}}",
                List.of("{'v': 1}", "{'v': 1, 'next': {'v': 2, 'next': {'v': 3}}}"),
                List.of("{'next': {'v': 1}}", "{'v': 1, 'next': {}}"));
        check(
                "{'type': 'array', 'items': {'$ref': '#'}}",
                List.of("[]", "[[], [[]]]", "[".repeat(60) + "]".repeat(60)),
                List.of("[1]", "[[]"));
        check(
                "{'type': 'object', 'properties': {'a/b': {'type': 'integer'}, 'c~d': {'$ref': '#/properties/a~1b'},"
                        + " 'e%f': {'$ref': '#/properties/c~0d'}}, 'additionalProperties': false}",
                List.of("{'a/b': 1, 'c~d': 2, 'e%f': 3}"), List.of("{'e%f': 'x'}"));
        // What would never end is left out.
        check(
                "{'anyOf': [{'$ref': '#/$defs/n'}, {'type': 'null'}], '$defs': {'n': {'type': 'object',"
                        + " 'properties': {'n': {'$ref': '#/$defs/n'}}, 'required': ['n']}}}",
                List.of("null"),
                List.of("{", "{'n': null}"));
    }

    @Test
    void annotationsAreIgnored() {
        check(
                "{'$schema': 'https://json-schema.org/draft/2020-12/schema', '$id': 'https://a.b/c', '$comment': 'x',"
                        + " 'title': 't', 'description': 'd', 'default': 1, 'examples': [2], 'deprecated': true,"
                        + " 'readOnly': true, 'writeOnly': false, 'x-order': 1, 'type': 'integer',"
                        + " '$defs': {'unused': {'not': {}}}}",
                List.of("1"),
                List.of("'a'"));
    }

    @Test
    void refusalsNameTheKeyword() {
        refused("{'not': {}}", ".not");
        refused("{'type': 'object', 'properties': {'a': {'if': {}, 'then': {}}}}", ".properties.a.if");
        refused("{'type': 'array', 'uniqueItems': true}", ".uniqueItems");
        refused("{'type': 'array', 'contains': {}}", ".contains");
        refused("{'type': 'integer', 'multipleOf': 3}", ".multipleOf");
        refused("{'anyOf': [{}, {'propertyNames': {}}]}", ".anyOf[1].propertyNames");
        refused("{'properties': {'a b': {'nullable': true}}}", ".properties['a b'].nullable");
        refused("{'$ref': '#/$defs/x', '$defs': {'x': {'dependentRequired': {}}}}", ".$defs.x.dependentRequired");
        refused("{'$ref': 'https://a.b/c'}", ".$ref");
        refused("{'$ref': '#/$defs/x'}", ".$ref");
        refused("{'$ref': '#x'}", ".$ref");
        refused("{'$ref': '#'}", "");
        refused("{'anyOf': [{'$ref': '#'}, {'type': 'null'}]}", "");
        refused("{'type': 'string', 'format': 'regex'}", ".format");
        refused("{'type': 'text'}", ".type");
        refused("{'type': ['string', 7]}", ".type[1]");
        refused("{'minimum': '1'}", ".minimum");
        refused("{'minLength': -1}", ".minLength");
        refused("{'minItems': 1.5}", ".minItems");
        refused("{'exclusiveMinimum': true}", ".exclusiveMinimum");
        refused("{'items': [{}]}", ".items");
        refused("{'required': 'a'}", ".required");
        refused("{'required': [1]}", ".required[0]");
        refused("{'properties': {'a': 7}}", ".properties.a");
        refused("{'anyOf': []}", ".anyOf");
        refused("{'enum': 1}", ".enum");
        refused("[]", "");
        refused("{'oneOf': [{'type': 'integer'}, {'type': 'number'}]}", ".oneOf");
        refused("{'properties': {'a': {'$id': 'x'}}}", ".properties.a.$id");
        refused("{'type': 'string', 'pattern': '(?=a)b'}", ".pattern");
        refused("{'type': 'string', 'pattern': '('}", ".pattern");
        refused("{'type': 'number', 'exclusiveMaximum': 0.12345678901234567}", ".exclusiveMaximum");
        refused("{'type': 'integer', 'minimum': 1e40}", ".minimum");
    }

    @Test
    void whatMatchesNothingIsRefused() {
        refused("false", "");
        refused("{'enum': []}", "");
        refused("{'type': 'integer', 'minimum': 2, 'maximum': 1}", "");
        refused("{'type': 'string', 'minLength': 2, 'maxLength': 1}", "");
        refused("{'allOf': [{'type': 'string'}, {'type': 'integer'}]}", "");
        refused("{'type': 'object', 'properties': {'a': {'$ref': '#'}}, 'required': ['a']}", "");
        refused("{'type': 'object', 'required': ['a'], 'additionalProperties': false}", "");
        refused("{'type': 'array', 'prefixItems': [false], 'minItems': 1}", "");
    }

    @Test
    void surrogatesAreRefused() {
        ObjectNode schema = JsonNodeFactory.instance.objectNode().put("const", "\ud834");
        assertThatThrownBy(() -> JsonSchemaCompiler.compile(schema, SchemaLimits.DEFAULT, "f"))
                .isInstanceOf(ServingException.class)
                .hasMessageContaining("f.const");
    }

    @Test
    void anyValueAndAnyObject() {
        TokenGrammar value = TestingVocabulary.grammar(JsonGrammars.value());
        assertThat(TestingVocabulary.accepts(value, "[1, {\"a\": null}]")).isTrue();
        assertThat(TestingVocabulary.accepts(value, "1")).isTrue();
        TokenGrammar object = TestingVocabulary.grammar(JsonGrammars.anyObject());
        assertThat(TestingVocabulary.accepts(object, "{\"a\": [1, 2]}")).isTrue();
        assertThat(TestingVocabulary.accepts(object, "[]")).isFalse();
    }
}
