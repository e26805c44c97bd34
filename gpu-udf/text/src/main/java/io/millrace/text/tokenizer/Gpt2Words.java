package io.millrace.text.tokenizer;

/**
 * GPT-2's words: {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+}.
 */
final class Gpt2Words implements PreTokenizer {
    @Override
    public void split(char[] text, int start, int end, WordSink sink) {
        int position = start;
        while (position < end) {
            int wordEnd = wordEnd(text, position, end);
            sink.word(text, position, wordEnd);
            position = wordEnd;
        }
    }

    private static int wordEnd(char[] text, int position, int end) {
        int contractionEnd = WordScanner.contraction(text, position, end);
        if (contractionEnd > position) {
            return contractionEnd;
        }
        int content = text[position] == ' ' && position + 1 < end ? position + 1 : position;
        int classes = WordScanner.classesAt(text, content, end);
        if ((classes & UnicodeClasses.LETTER) != 0) {
            return WordScanner.run(text, content, end, UnicodeClasses.LETTER);
        }
        if ((classes & UnicodeClasses.NUMBER) != 0) {
            return WordScanner.run(text, content, end, UnicodeClasses.NUMBER);
        }
        if ((classes & UnicodeClasses.SPACE) == 0) {
            return WordScanner.otherRun(text, content, end);
        }
        return WordScanner.whitespace(text, position, end, false);
    }
}
