package io.millrace.reference;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.model.ModelCopy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Our tokens and logits against those of an engine that was not written here: llama.cpp, on the same weights.
 *
 * <p>For quantised weights llama.cpp rounds activations to 8 bits, which we do not. So both run an F32 copy of the demo
 * model, where the sums' order is all that they differ in.
 */
class LlamaCppComparisonIT {
    private static final int OUTPUT_TOKENS = 24;

    /** Below this distance between the two highest logits, which one is chosen is a matter of the sums' order. */
    private static final float TIE = 1e-3f;

    /** How far a logit's distance from the highest one may be from llama.cpp's. */
    private static final float LOGIT_TOLERANCE = 5e-3f;

    private static final int MAX_TIES = 2;
    private static final int THREADS = 2;

    private static final List<String> PROMPTS = List.of(
            "The capital of France is",
            "Once upon a time, in a small village by the sea,",
            "def fibonacci(n):\n    if n < 2:\n        return n\n",
            "Water boils at a temperature of",
            "The three laws of motion are:\n1.",
            "<|im_start|>user\nWhat is a mill race?<|im_end|>\n<|im_start|>assistant\n",
            "<|im_start|>system\nYou are terse.<|im_end|>\n<|im_start|>user\nName a colour.<|im_end|>\n"
                    + "<|im_start|>assistant\n",
            "{\"name\": \"calculate\", \"arguments\": {\"expression\": \"",
            "SELECT name, COUNT(*) FROM orders WHERE",
            "In 1969, the first man on the moon",
            "Der schnelle braune Fuchs springt über den",
            "日本の首都は",
            "Привет, как",
            "The emoji 🙂🚀 mean",
            "Cafe\u0301 and naïve are words with",
            "    indented\n\n\n\ttabs   and   runs    of spaces\n   ",
            "public static void main(String[] args) {\n    System.out.println(",
            "A B C D E F G H I",
            "1, 1, 2, 3, 5, 8, 13,",
            "The quick brown fox jumps over the lazy dog. ".repeat(12) + "The quick");

    private static Path floatCopy;
    private static OurEngine ours;
    private static LlamaCpp theirs;

    @BeforeAll
    static void loadBoth() throws Exception {
        Path model = DemoModel.require();
        Path folder = Files.createDirectories(Path.of("target", "reference"));
        System.setProperty("de.kherud.llama.tmpdir", folder.toAbsolutePath().toString());
        floatCopy = folder.resolve("demo-f32.gguf");
        ModelCopy.toF32(model, floatCopy);
        theirs = new LlamaCpp(floatCopy, THREADS);
        ours = new OurEngine(floatCopy, THREADS);
    }

    @AfterAll
    static void closeBoth() throws Exception {
        if (ours != null) {
            ours.close();
        }
        if (theirs != null) {
            theirs.close();
        }
        if (floatCopy != null) {
            Files.deleteIfExists(floatCopy);
        }
    }

    @Test
    void tokensOfPromptsAreTheSame() {
        for (String prompt : PROMPTS) {
            assertThat(ours.tokenizer().encode(prompt, true)).as(prompt).isEqualTo(theirs.encode(prompt));
        }
    }

    @Test
    void greedyTokensAreTheSame() {
        List<String> ties = new ArrayList<>();
        for (String prompt : PROMPTS) {
            OurEngine.Output output = ours.greedy(ours.tokenizer().encode(prompt, true), OUTPUT_TOKENS);
            String expected = theirs.greedy(prompt, OUTPUT_TOKENS);
            int step = firstDifference(output.tokens(), expected);
            if (step < 0) {
                continue;
            }
            float gap = gapOfHighestTwo(output.logits().get(step));
            assertThat(gap)
                    .as("prompt '%s': token %d differs, and is no tie; theirs: '%s'", prompt, step, expected)
                    .isLessThan(TIE);
            ties.add(prompt + " at " + step);
        }
        System.out.println("greedy tokens: " + PROMPTS.size() + " prompts, numeric ties: " + ties);
        assertThat(ties).hasSizeLessThanOrEqualTo(MAX_TIES);
    }

    @Test
    void logitsAgree() {
        int compared = 0;
        for (String prompt : PROMPTS) {
            OurEngine.Output output = ours.greedy(ours.tokenizer().encode(prompt, true), 1);
            float[] logits = output.logits().get(0);
            List<Integer> ranked = highest(logits, 200);
            int first = ranked.get(0);
            for (int rank : List.of(1, 7, 150)) {
                int other = ranked.get(rank);
                if (!isPlainText(first) || !isPlainText(other)) {
                    continue;
                }
                float gap = logits[first] - logits[other];
                String place = "prompt '%s', rank %d, gap %f".formatted(prompt, rank, gap);
                if (gap > LOGIT_TOLERANCE) {
                    assertThat(theirs.greedyWithBias(prompt, other, gap - LOGIT_TOLERANCE))
                            .as(place)
                            .isEqualTo(text(first));
                }
                assertThat(theirs.greedyWithBias(prompt, other, gap + LOGIT_TOLERANCE))
                        .as(place)
                        .isEqualTo(text(other));
                compared++;
            }
        }
        System.out.println("logits: " + compared + " compared, within " + LOGIT_TOLERANCE);
        assertThat(compared).isGreaterThan(30);
    }

    /** The step at which our text is not theirs any more; -1 if it is all the same. */
    private static int firstDifference(List<Integer> tokens, String expected) {
        int[] ids = tokens.stream().mapToInt(Integer::intValue).toArray();
        if (decode(ids, ids.length).equals(expected)) {
            return -1;
        }
        for (int count = 1; count <= ids.length; count++) {
            // A character that is not whole yet is compared when it is.
            String text = decode(ids, count).replaceAll("\uFFFD+$", "");
            if (!expected.startsWith(text)) {
                return count - 1;
            }
        }
        return ids.length;
    }

    private static String decode(int[] ids, int count) {
        return ours.tokenizer().decode(Arrays.copyOf(ids, count));
    }

    private static String text(int id) {
        return new String(ours.tokenizer().tokenBytes(id), StandardCharsets.UTF_8);
    }

    private static boolean isPlainText(int id) {
        return !ours.tokenizer().isSpecial(id) && !text(id).contains("\uFFFD");
    }

    private static float gapOfHighestTwo(float[] logits) {
        List<Integer> two = highest(logits, 2);
        return logits[two.get(0)] - logits[two.get(1)];
    }

    private static List<Integer> highest(float[] logits, int count) {
        return IntStream.range(0, logits.length)
                .boxed()
                .sorted((a, b) -> Float.compare(logits[b], logits[a]))
                .limit(count)
                .toList();
    }
}
