package io.millrace.grammar.json;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.grammar.TokenGrammar;
import io.millrace.kv.ServingException;
import io.millrace.kv.testing.Property;
import java.io.IOException;
import java.io.InputStream;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What the masks of a schema's grammar let through is valid, for generated schemas and such as are published. */
class RandomSchemasTest {
    @Test
    void textsOfGeneratedSchemasAreValid() {
        AtomicInteger compiled = new AtomicInteger();
        AtomicInteger texts = new AtomicInteger();
        AtomicInteger unfinished = new AtomicInteger();
        Property.forAll(1_000, 1_000, random -> {
            JsonNode schema = TestingSchemas.random(random);
            TokenGrammar grammar;
            try {
                grammar = TestingVocabulary.grammar(schema);
            } catch (ServingException e) {
                assertThat(e.param()).as(schema + ": " + e.getMessage()).startsWith("schema");
                return;
            }
            compiled.incrementAndGet();
            walks(schema, grammar, random, 3, texts, unfinished);
        });
        assertThat(compiled.get()).isGreaterThan(900);
        assertThat(texts.get()).isGreaterThan(2_500);
        assertThat(unfinished.get()).isLessThan(50);
    }

    @Test
    void textsOfPublishedSchemasAreValid() throws IOException {
        AtomicInteger texts = new AtomicInteger();
        AtomicInteger unfinished = new AtomicInteger();
        try (InputStream in = RandomSchemasTest.class.getResourceAsStream("published-schemas.json")) {
            for (JsonNode schema : TestingValidator.JSON.readTree(in)) {
                TokenGrammar grammar = TestingVocabulary.grammar(schema);
                walks(schema, grammar, new Random(7), 20, texts, unfinished);
            }
        }
        assertThat(texts.get()).isGreaterThan(400);
        assertThat(unfinished.get()).isLessThan(10);
    }

    private static void walks(
            JsonNode schema,
            TokenGrammar grammar,
            Random random,
            int count,
            AtomicInteger texts,
            AtomicInteger unfinished) {
        TestingValidator validator = new TestingValidator(schema);
        for (int i = 0; i < count; i++) {
            String text = TestingVocabulary.walk(grammar, random, 10 + random.nextInt(100));
            if (text == null) {
                unfinished.incrementAndGet();
                continue;
            }
            texts.incrementAndGet();
            assertThat(validator.errors(text)).as("%s of %s", text, schema).isEmpty();
            assertThat(TestingVocabulary.acceptsInPieces(grammar, text, random))
                    .as("%s of %s, in other tokens", text, schema)
                    .isTrue();
        }
    }

    @Test
    void emailAddressesAreValidOfADomainThatExists() {
        JsonNode schema = TestingValidator.json("{'type': 'string', 'format': 'email'}");
        TokenGrammar grammar = TestingVocabulary.grammar(schema);
        TestingValidator validator = new TestingValidator(schema);
        Property.forAll(300, 200, random -> {
            String text = TestingVocabulary.walk(grammar, random, 5 + random.nextInt(60));
            if (text != null) {
                String existing = text.substring(0, text.lastIndexOf('.')) + ".org\"";
                assertThat(validator.errors(existing)).as(existing).isEmpty();
            }
        });
    }
}
