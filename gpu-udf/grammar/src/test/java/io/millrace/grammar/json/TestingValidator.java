package io.millrace.grammar.json;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.util.List;

/** An independent validator of JSON schemas, and how test texts are read. */
final class TestingValidator {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final ObjectMapper DECIMALS =
            new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
    private static final SchemaRegistry REGISTRY =
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

    private final Schema schema;

    TestingValidator(JsonNode schema) {
        this.schema = REGISTRY.getSchema(schema);
    }

    /** Reads a text in which single quotes stand for double ones. */
    static JsonNode json(String text) {
        try {
            return JSON.readTree(text.replace('\'', '"'));
        } catch (JsonProcessingException e) {
            throw new AssertionError(text, e);
        }
    }

    /** Returns what is wrong with a text: nothing if it is valid, its numbers read as doubles or as decimals. */
    String errors(String text) {
        try {
            List<Error> errors = errors(JSON.readTree(text));
            if (errors.isEmpty()) {
                errors = errors(DECIMALS.readTree(text));
            }
            return errors.isEmpty() ? "" : errors.toString();
        } catch (JsonProcessingException e) {
            return e.getMessage();
        }
    }

    boolean isValid(JsonNode value) {
        return errors(value).isEmpty();
    }

    private List<Error> errors(JsonNode value) {
        return schema.validate(
                value, context -> context.executionConfig(config -> config.formatAssertionsEnabled(true)));
    }
}
