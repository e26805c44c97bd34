package io.millrace.text.tokenizer;

/** Cuts text into the words that byte-pair encoding merges within. */
@FunctionalInterface
interface PreTokenizer {
    /** Passes the words of {@code text[start, end)} to the sink, in order and without gaps. */
    void split(char[] text, int start, int end, WordSink sink);

    /** Gets words. */
    @FunctionalInterface
    interface WordSink {
        void word(char[] text, int start, int end);
    }

    /** Returns a pre-tokenizer that cuts the words of this one further; each word is a whole text to the second. */
    default PreTokenizer then(PreTokenizer second) {
        return (text, start, end, sink) ->
                split(text, start, end, (word, wordStart, wordEnd) -> second.split(word, wordStart, wordEnd, sink));
    }
}
