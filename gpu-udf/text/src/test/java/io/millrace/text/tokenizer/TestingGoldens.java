package io.millrace.text.tokenizer;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/** Reads the files that reference tools made: one JSON value a line. */
final class TestingGoldens {
    private static final ObjectMapper JSON = new ObjectMapper();

    private TestingGoldens() {}

    /** Returns the texts that all tokenizers are compared on. */
    static List<String> texts() {
        return lines("texts.jsonl", String.class);
    }

    /** Returns the tokens of those texts by a reference tool. */
    static List<int[]> ids(String name) {
        return lines(name, int[].class);
    }

    static <T> List<T> lines(String name, Class<T> type) {
        return text(name).lines().map(line -> value(line, type)).toList();
    }

    static <T> T value(String json, Class<T> type) {
        try {
            return JSON.readValue(json, type);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String text(String name) {
        try (InputStream stream = TestingGoldens.class.getResourceAsStream("/tokenizer/" + name)) {
            return new String(Objects.requireNonNull(stream, name).readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
