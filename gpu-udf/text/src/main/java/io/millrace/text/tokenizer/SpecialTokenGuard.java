package io.millrace.text.tokenizer;

/**
 * Marks text from outside so that nothing in it becomes a control token once a chat template has put it into a prompt.
 * The mark is U+FDD0, a code point that Unicode keeps out of text, behind the first character of what looks like a
 * control token, or like the beginning of one at the text's end, to which the next text could add the rest.
 * {@link PromptTokenizer} takes the marks out again once the prompt is cut at its control tokens, so the text has the
 * tokens of plain text.
 */
public final class SpecialTokenGuard {
    /** The mark. */
    static final char MARK = '\ufdd0';

    private final SpecialTokens control;

    /** Guards the control tokens of a tokenizer. */
    public SpecialTokenGuard(Tokenizer tokenizer) {
        this.control = SpecialTokens.of(tokenizer, id -> SpecialTokens.isParsedControl(tokenizer, id));
    }

    /** Returns a text with its marks; marks that it came with are taken out. */
    public String protect(String userText) {
        String text = unmark(userText);
        char[] chars = text.toCharArray();
        StringBuilder marked = null;
        int copied = 0;
        for (int i = 0; i < chars.length; i++) {
            if (!control.mayStart(chars, i)) {
                continue;
            }
            marked = marked == null ? new StringBuilder(chars.length + 16) : marked;
            int markIndex = i + Character.charCount(Character.codePointAt(chars, i));
            marked.append(chars, copied, markIndex - copied).append(MARK);
            copied = markIndex;
        }
        return marked == null
                ? text
                : marked.append(chars, copied, chars.length - copied).toString();
    }

    /** Returns a text without marks. */
    static String unmark(String text) {
        return text.indexOf(MARK) < 0 ? text : text.replace(String.valueOf(MARK), "");
    }
}
