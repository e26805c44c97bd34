package io.millrace.text.tokenizer;

/**
 * The parts that the pre-tokenizers' regular expressions share, as scans that look at each character a fixed number of
 * times, whatever the text: a backtracking matcher is quadratic on long runs of white space. Each scan gets a range
 * {@code [position, end)} and returns where its match ends, or {@code position} if there is none.
 */
final class WordScanner {
    private static final int LETTER_NUMBER_SPACE = UnicodeClasses.LETTER | UnicodeClasses.NUMBER | UnicodeClasses.SPACE;

    private WordScanner() {}

    /** Returns the classes of the code point at a position; none at the end. */
    static int classesAt(char[] text, int position, int end) {
        return position < end ? UnicodeClasses.of(Character.codePointAt(text, position, end)) : 0;
    }

    /** Returns where the code point at a position ends. */
    static int next(char[] text, int position, int end) {
        return position + Character.charCount(Character.codePointAt(text, position, end));
    }

    /** Matches {@code [...]*} of code points that have one of the classes. */
    static int run(char[] text, int position, int end, int classes) {
        int current = position;
        while (current < end) {
            int codePoint = Character.codePointAt(text, current, end);
            if ((UnicodeClasses.of(codePoint) & classes) == 0) {
                break;
            }
            current += Character.charCount(codePoint);
        }
        return current;
    }

    /** Matches {@code [^\s\p{L}\p{N}]*}. */
    static int otherRun(char[] text, int position, int end) {
        int current = position;
        while (current < end) {
            int codePoint = Character.codePointAt(text, current, end);
            if ((UnicodeClasses.of(codePoint) & LETTER_NUMBER_SPACE) != 0) {
                break;
            }
            current += Character.charCount(codePoint);
        }
        return current;
    }

    static boolean isNewline(char c) {
        return c == '\r' || c == '\n';
    }

    /** Matches {@code \s*[\r\n]+|\s+(?!\S)|\s+}, the first branch only if asked for. */
    static int whitespace(char[] text, int position, int end, boolean cutAfterNewlines) {
        int current = position;
        int newlineEnd = position;
        // All white space is in the basic plane: a char is a code point here.
        while (current < end && (UnicodeClasses.of(text[current]) & UnicodeClasses.SPACE) != 0) {
            if (isNewline(text[current])) {
                newlineEnd = current + 1;
            }
            current++;
        }
        if (cutAfterNewlines && newlineEnd > position) {
            return newlineEnd;
        }
        boolean leaveOneForTheWord = current < end && current - position > 1;
        return leaveOneForTheWord ? current - 1 : current;
    }

    /** Matches {@code 's|'t|'re|'ve|'m|'ll|'d}. */
    static int contraction(char[] text, int position, int end) {
        if (text[position] != '\'' || position + 1 >= end) {
            return position;
        }
        char first = text[position + 1];
        if (first == 's' || first == 't' || first == 'm' || first == 'd') {
            return position + 2;
        }
        return position + 2 < end && isTwoLetterContraction(first, text[position + 2]) ? position + 3 : position;
    }

    /** Matches {@code (?i:'s|'t|'re|'ve|'m|'ll|'d)}. */
    static int anyCaseContraction(char[] text, int position, int end) {
        if (text[position] != '\'' || position + 1 >= end) {
            return position;
        }
        char first = foldCase(text[position + 1]);
        if (first == 's' || first == 't' || first == 'm' || first == 'd') {
            return position + 2;
        }
        if (position + 2 < end && isTwoLetterContraction(first, foldCase(text[position + 2]))) {
            return position + 3;
        }
        return position;
    }

    private static boolean isTwoLetterContraction(char first, char second) {
        return ((first == 'r' || first == 'v') && second == 'e') || (first == 'l' && second == 'l');
    }

    private static char foldCase(char c) {
        if (c >= 'A' && c <= 'Z') {
            return (char) (c + ('a' - 'A'));
        }
        // The long s is the one other character that case folding takes to a letter of a contraction.
        return c == '\u017f' ? 's' : c;
    }
}
