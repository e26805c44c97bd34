package io.millrace.grammar;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.model.GgufModel;
import io.millrace.text.tokenizer.Tokenizer;
import io.millrace.text.tokenizer.Tokenizers;
import io.millrace.text.tokenizer.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Grammars over the demo model's 49,152 tokens. What it prints is measured, and depends on the machine. */
class DemoVocabularyTest {
    private static final String JSON = """
            root ::= object
            value ::= object | array | string | number | "true" | "false" | "null"
            object ::= "{" (string ": " value (", " string ": " value)*)? "}"
            array ::= "[" (value (", " value)*)? "]"
            string ::= "\\"" char* "\\""
            char ::= [^"\\\\\\x00-\\x1f] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{4})
            number ::= "-"? ("0" | [1-9] [0-9]*) ("." [0-9]+)? ([eE] [-+]? [0-9]+)?
            """;

    private static GrammarVocabulary vocabulary() {
        String home = Optional.ofNullable(System.getenv("MILLRACE_HOME"))
                .orElse(System.getProperty("user.home") + "/.cache/millrace");
        Path file = Path.of(home, "models", "SmolLM2-135M-Instruct.Q4_1.gguf");
        Assumptions.assumeTrue(Files.exists(file), () -> "there is no " + file + "; ./millrace test fetches it");
        try (GgufModel model = GgufModel.open(file)) {
            Tokenizer tokenizer = Tokenizers.of(Vocabulary.fromMetadata(model.metadata()));
            byte[][] bytes = new byte[tokenizer.vocabSize()][];
            List<Integer> ends = new ArrayList<>();
            for (int token = 0; token < bytes.length; token++) {
                bytes[token] = tokenizer.isSpecial(token) ? null : tokenizer.tokenBytes(token);
                if (tokenizer.isEndOfTurn(token)) {
                    ends.add(token);
                }
            }
            int[] endTokens = ends.stream().mapToInt(end -> end).toArray();
            return new GrammarVocabulary(bytes, endTokens, 32 << 20);
        }
    }

    private static List<GrammarSource> sources() {
        List<GrammarSource> sources = new ArrayList<>();
        sources.add(EbnfParser.parse(JSON, GrammarLimits.DEFAULT));
        for (int i = 0; i < 40; i++) {
            StringBuilder object = new StringBuilder("root ::= \"{\"");
            for (int field = 0; field <= i % 5; field++) {
                object.append(" \"").append(field == 0 ? "" : ", ");
                object.append("\\\"field").append(i).append(field).append("\\\": \" ");
                object.append(
                        List.of("string", "number", "value", "short", "choice").get((i + field * 3) % 5));
            }
            object.append(" \"}\"\nshort ::= \"\\\"\" char{0,40} \"\\\"\"\n");
            object.append("choice ::= \"\\\"red\\\"\" | \"\\\"green\\\"\" | \"\\\"grey\\\"\"\n");
            object.append(JSON.substring(JSON.indexOf('\n') + 1));
            sources.add(EbnfParser.parse(object.toString(), GrammarLimits.DEFAULT));
        }
        return sources;
    }

    @Test
    void masksAreRightAndQuick() {
        GrammarVocabulary vocabulary = vocabulary();
        List<Long> compiled = new ArrayList<>();
        List<Long> first = new ArrayList<>();
        List<Long> later = new ArrayList<>();
        Random random = new Random(5);
        for (int round = 0; round < 3; round++) {
            compiled.clear();
            first.clear();
            later.clear();
            for (GrammarSource source : sources()) {
                long begin = System.nanoTime();
                Grammar grammar = Grammar.compile(source, GrammarLimits.DEFAULT);
                compiled.add(System.nanoTime() - begin);
                TokenGrammar tokens = new TokenGrammar(grammar, vocabulary);
                walk(tokens, vocabulary, random, first, later);
            }
            System.out.printf(
                    "round %d: compile %s, first masks %s, later masks %s, cache %d bytes%n",
                    round, summary(compiled), summary(first), summary(later), vocabulary.masks.bytes());
        }
    }

    private static void walk(
            TokenGrammar tokens, GrammarVocabulary vocabulary, Random random, List<Long> first, List<Long> later) {
        GrammarState state = tokens.start();
        StringBuilder text = new StringBuilder();
        for (int step = 0; step < 60; step++) {
            boolean known = state.mask.content != null;
            long begin = System.nanoTime();
            long[] mask = state.allowed();
            (known ? later : first).add(System.nanoTime() - begin);
            begin = System.nanoTime();
            state.allowed();
            later.add(System.nanoTime() - begin);
            List<Integer> allowed = TestingVocabulary.tokens(mask);
            assertThat(allowed).isNotEmpty();
            for (int i = 0; i < 50; i++) {
                int token = random.nextInt(vocabulary.size());
                assertThat(state.after(token) != null).isEqualTo(TestingVocabulary.allows(mask, token));
            }
            int token = allowed.get(random.nextInt(allowed.size()));
            if (step % 4 == 3) {
                // Strings would hardly end by themselves.
                for (int candidate : allowed) {
                    byte[] bytes = vocabulary.tokenBytes(candidate);
                    if (bytes != null && bytes[0] == '"') {
                        token = candidate;
                        break;
                    }
                }
            }
            if (vocabulary.isEnd(token)) {
                break;
            }
            text.append(new String(vocabulary.tokenBytes(token), StandardCharsets.ISO_8859_1));
            state = state.after(token);
        }
    }

    private static String summary(List<Long> nanos) {
        long[] sorted = nanos.stream().mapToLong(value -> value).sorted().toArray();
        return String.format(
                "p50 %d us, p99 %d us, max %d us (%d)",
                sorted[sorted.length / 2] / 1000,
                sorted[sorted.length * 99 / 100] / 1000,
                sorted[sorted.length - 1] / 1000,
                sorted.length);
    }
}
