package io.millrace.text.tokenizer;

import static java.util.Objects.requireNonNull;

/**
 * The words of the family of expressions that began with OpenAI's cl100k: Llama 3, Qwen 2 and 3, Tekken. In order:
 *
 * <pre>
 *   (?i:'s|'t|'re|'ve|'m|'ll|'d)          contractions, if they come first
 *   [^\r\n\p{L}\p{N}]?\p{L}+              letters, of any case ...
 *   [^\r\n\p{L}\p{N}]?U*W+ | [^\r\n\p{L}\p{N}]?U+W*     ... or cased
 *   \p{N}{1,n}                            numbers
 *   ?[^\s\p{L}\p{N}]+[\r\n]*              others; [\r\n/]* if slashes go with them
 *   \s*[\r\n]+ | \s+(?!\S) | \s+
 * </pre>
 *
 * where U is {@code [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]} and W is {@code [\p{Ll}\p{Lm}\p{Lo}\p{M}]}.
 */
final class TiktokenWords implements PreTokenizer {
    /** What becomes of contractions. */
    enum Contractions {
        FIRST,
        NONE
    }

    /** Which letters make a word. */
    enum Letters {
        ANY_CASE,
        CASED
    }

    private static final int LETTER_OR_NUMBER = UnicodeClasses.LETTER | UnicodeClasses.NUMBER;

    private final Contractions contractions;
    private final Letters letters;
    private final int numbersMax;
    private final boolean slashesAfterOthers;

    TiktokenWords(Contractions contractions, Letters letters, int numbersMax, boolean slashesAfterOthers) {
        this.contractions = requireNonNull(contractions, "contractions");
        this.letters = requireNonNull(letters, "letters");
        this.numbersMax = numbersMax;
        this.slashesAfterOthers = slashesAfterOthers;
    }

    @Override
    public void split(char[] text, int start, int end, WordSink sink) {
        int position = start;
        while (position < end) {
            int wordEnd = wordEnd(text, position, end);
            sink.word(text, position, wordEnd);
            position = wordEnd;
        }
    }

    private int wordEnd(char[] text, int position, int end) {
        if (contractions == Contractions.FIRST) {
            int contractionEnd = WordScanner.anyCaseContraction(text, position, end);
            if (contractionEnd > position) {
                return contractionEnd;
            }
        }
        int lettersEnd = lettersEnd(text, position, end);
        if (lettersEnd > position) {
            return lettersEnd;
        }
        int classes = WordScanner.classesAt(text, position, end);
        if ((classes & UnicodeClasses.NUMBER) != 0) {
            return numbersEnd(text, position, end);
        }
        int content = text[position] == ' ' ? position + 1 : position;
        int othersEnd = WordScanner.otherRun(text, content, end);
        if (othersEnd > content) {
            return tailEnd(text, othersEnd, end);
        }
        return WordScanner.whitespace(text, position, end, true);
    }

    private int lettersEnd(char[] text, int position, int end) {
        int classes = WordScanner.classesAt(text, position, end);
        boolean mayLead = (classes & LETTER_OR_NUMBER) == 0 && !WordScanner.isNewline(text[position]);
        int afterLead = mayLead ? WordScanner.next(text, position, end) : position;
        if (letters == Letters.ANY_CASE) {
            int wordEnd = WordScanner.run(text, afterLead, end, UnicodeClasses.LETTER);
            return wordEnd > afterLead ? wordEnd : position;
        }
        int wordEnd = lowerEndingWord(text, afterLead, end);
        if (wordEnd > afterLead) {
            return wordEnd;
        }
        // What may lead a word may also be in it, if it is a mark.
        wordEnd = lowerEndingWord(text, position, end);
        if (wordEnd > position) {
            return wordEnd;
        }
        wordEnd = WordScanner.run(text, afterLead, end, UnicodeClasses.UPPER);
        return wordEnd > afterLead ? wordEnd : position;
    }

    /**
     * Matches {@code U*W+}. U's run is followed by a lower-case letter, and W goes on from there; or U gives back
     * what it took, down to the last letter without case or mark, which is all that W then gets.
     */
    private static int lowerEndingWord(char[] text, int position, int end) {
        int current = position;
        int lastUncasedEnd = position;
        while (current < end) {
            int codePoint = Character.codePointAt(text, current, end);
            int classes = UnicodeClasses.of(codePoint);
            if ((classes & UnicodeClasses.LOWER) != 0) {
                return lowerRun(text, current, end);
            }
            if ((classes & (UnicodeClasses.LETTER | UnicodeClasses.MARK)) == 0) {
                break;
            }
            current += Character.charCount(codePoint);
            if ((classes & UnicodeClasses.UPPER) == 0) {
                lastUncasedEnd = current;
            }
        }
        return lastUncasedEnd;
    }

    /** Matches {@code W*}. */
    private static int lowerRun(char[] text, int position, int end) {
        int current = position;
        while (current < end) {
            int codePoint = Character.codePointAt(text, current, end);
            int classes = UnicodeClasses.of(codePoint);
            boolean letterOrMark = (classes & (UnicodeClasses.LETTER | UnicodeClasses.MARK)) != 0;
            if (!letterOrMark || (classes & UnicodeClasses.UPPER) != 0) {
                break;
            }
            current += Character.charCount(codePoint);
        }
        return current;
    }

    private int numbersEnd(char[] text, int position, int end) {
        int current = position;
        for (int count = 0; count < numbersMax && current < end; count++) {
            if ((WordScanner.classesAt(text, current, end) & UnicodeClasses.NUMBER) == 0) {
                break;
            }
            current = WordScanner.next(text, current, end);
        }
        return current;
    }

    private int tailEnd(char[] text, int position, int end) {
        int current = position;
        while (current < end
                && (WordScanner.isNewline(text[current]) || (slashesAfterOthers && text[current] == '/'))) {
            current++;
        }
        return current;
    }
}
