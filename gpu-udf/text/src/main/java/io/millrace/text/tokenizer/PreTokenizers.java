package io.millrace.text.tokenizer;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.text.tokenizer.TiktokenWords.Contractions;
import io.millrace.text.tokenizer.TiktokenWords.Letters;
import java.util.Map;
import java.util.TreeMap;

/** The pre-tokenizers by the names that GGUF's {@code tokenizer.ggml.pre} has for them. */
final class PreTokenizers {
    private static final PreTokenizer GPT2 = new Gpt2Words();
    private static final PreTokenizer SMOLLM = PreTokenizers::splitNumbersSingly;
    private static final PreTokenizer DEFAULT = PreTokenizers::splitPunctuation;
    private static final TiktokenWords LLAMA3 = new TiktokenWords(Contractions.FIRST, Letters.ANY_CASE, 3, false);
    private static final TiktokenWords QWEN2 = new TiktokenWords(Contractions.FIRST, Letters.ANY_CASE, 1, false);
    private static final TiktokenWords TEKKEN = new TiktokenWords(Contractions.NONE, Letters.CASED, 1, true);

    /**
     * What a name stands for.
     *
     * @param words how text is cut into words
     * @param wholeWords whether a word that is a token is that token, whatever the merges say
     * @param addBos whether prompts begin with the beginning-of-sequence token where the file does not say
     */
    record Definition(PreTokenizer words, boolean wholeWords, boolean addBos) {}

    private static final Map<String, Definition> BY_NAME = new TreeMap<>(Map.ofEntries(
            Map.entry("gpt-2", new Definition(GPT2, false, false)),
            Map.entry(
                    "default",
                    new Definition(DEFAULT.then(GPT2).then(PreTokenizers::splitNumbersByThree), false, false)),
            Map.entry("smollm", new Definition(SMOLLM.then(GPT2), false, false)),
            Map.entry("llama-bpe", new Definition(LLAMA3, true, true)),
            Map.entry("llama3", new Definition(LLAMA3, true, true)),
            Map.entry("llama-v3", new Definition(LLAMA3, true, true)),
            Map.entry("qwen2", new Definition(QWEN2, false, false)),
            Map.entry("deepseek-r1-qwen", new Definition(QWEN2, false, false)),
            Map.entry("tekken", new Definition(TEKKEN, true, true))));

    private PreTokenizers() {}

    /**
     * Returns what a name stands for.
     *
     * @throws ServingException {@code MODEL_FILE_INVALID} naming the pre-tokenizer and those that there are
     */
    static Definition byName(String name) {
        Definition definition = BY_NAME.get(name);
        if (definition == null) {
            throw new ServingException(
                    ErrorCode.MODEL_FILE_INVALID,
                    "tokenizer.ggml.pre names the pre-tokenizer \"" + name
                            + "\", which is not supported; supported are " + String.join(", ", BY_NAME.keySet()));
        }
        return definition;
    }

    /** Cuts every number character out: {@code \p{N}}. */
    private static void splitNumbersSingly(char[] text, int start, int end, PreTokenizer.WordSink sink) {
        int wordStart = start;
        int position = start;
        while (position < end) {
            int next = WordScanner.next(text, position, end);
            if ((WordScanner.classesAt(text, position, end) & UnicodeClasses.NUMBER) != 0) {
                pass(text, wordStart, position, sink);
                sink.word(text, position, next);
                wordStart = next;
            }
            position = next;
        }
        pass(text, wordStart, end, sink);
    }

    /** Cuts runs of punctuation out: {@code [\p{P}\$\+<=>\^~\|]+}. */
    private static void splitPunctuation(char[] text, int start, int end, PreTokenizer.WordSink sink) {
        int wordStart = start;
        boolean inPunctuation = false;
        int position = start;
        while (position < end) {
            boolean punctuation = (WordScanner.classesAt(text, position, end) & UnicodeClasses.PUNCTUATION) != 0
                    || "$+<=>^~|".indexOf(text[position]) >= 0;
            if (punctuation != inPunctuation) {
                pass(text, wordStart, position, sink);
                wordStart = position;
                inPunctuation = punctuation;
            }
            position = WordScanner.next(text, position, end);
        }
        pass(text, wordStart, end, sink);
    }

    /** Cuts runs of numbers out, and from those three digits at a time: {@code \p{N}+}, {@code [0-9][0-9][0-9]}. */
    private static void splitNumbersByThree(char[] text, int start, int end, PreTokenizer.WordSink sink) {
        int position = start;
        while (position < end) {
            int numbersEnd = WordScanner.run(text, position, end, UnicodeClasses.NUMBER);
            splitThreeDigits(text, position, numbersEnd, sink);
            int textEnd = numbersEnd;
            while (textEnd < end && (WordScanner.classesAt(text, textEnd, end) & UnicodeClasses.NUMBER) == 0) {
                textEnd = WordScanner.next(text, textEnd, end);
            }
            pass(text, numbersEnd, textEnd, sink);
            position = textEnd;
        }
    }

    private static void splitThreeDigits(char[] text, int start, int end, PreTokenizer.WordSink sink) {
        int wordStart = start;
        int position = start;
        int digits = 0;
        while (position < end) {
            digits = text[position] >= '0' && text[position] <= '9' ? digits + 1 : 0;
            position++;
            if (digits == 3) {
                pass(text, wordStart, position - 3, sink);
                sink.word(text, position - 3, position);
                wordStart = position;
                digits = 0;
            }
        }
        pass(text, wordStart, end, sink);
    }

    private static void pass(char[] text, int start, int end, PreTokenizer.WordSink sink) {
        if (end > start) {
            sink.word(text, start, end);
        }
    }
}
