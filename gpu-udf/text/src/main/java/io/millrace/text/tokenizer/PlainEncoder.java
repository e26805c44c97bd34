package io.millrace.text.tokenizer;

/** Encodes text that has no special tokens in it. Safe for use by several threads. */
@FunctionalInterface
interface PlainEncoder {
    /** Appends the tokens of {@code text[start, end)}, which is not empty and has no lone surrogates. */
    void encode(char[] text, int start, int end, IntList tokens);
}
