package io.millrace.text.template;

import io.millrace.text.template.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Cuts a template into tokens, and settles white space as Jinja does with {@code trim_blocks} and {@code
 * lstrip_blocks}: a newline after a block or comment is dropped, so is indentation before it, {@code -} drops all white
 * space on its side, and {@code +} keeps it.
 */
final class Lexer {
    private static final String[] OPERATORS = {
        "//", "**", "==", "!=", "<=", ">=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=",
        ".", ":", "|", ",", ";"
    };

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int position;
    private int line = 1;
    private int lineCountedTo;

    /** Whether the text at the position begins a line, which indentation is stripped from. */
    private boolean lineStarting = true;

    private Lexer(String source) {
        this.source = source;
    }

    /** Returns the tokens of a template; the last one is {@link Kind#END}. */
    static List<Token> tokens(String template) {
        String source = template.replace("\r\n", "\n").replace('\r', '\n');
        if (source.endsWith("\n")) {
            source = source.substring(0, source.length() - 1);
        }
        Lexer lexer = new Lexer(source);
        lexer.run();
        return lexer.tokens;
    }

    private void run() {
        while (position < source.length()) {
            int begin = nextTag(position);
            if (begin < 0) {
                add(Kind.TEXT, source.substring(position), position);
                position = source.length();
                break;
            }
            char kind = source.charAt(begin + 1);
            text(position, begin, kind != '{');
            int inside = begin + 2;
            if (inside < source.length() && isSign(source.charAt(inside))) {
                inside++;
            }
            if (kind == '#') {
                comment(begin, inside);
            } else if (kind == '%' && rawBegin(inside) >= 0) {
                raw(begin, rawBegin(inside));
            } else {
                add(kind == '%' ? Kind.BLOCK_BEGIN : Kind.PRINT_BEGIN, "", begin);
                position = inside;
                tag(kind == '%');
            }
        }
        add(Kind.END, "", source.length());
    }

    /** Adds the text before a tag, stripped as the tag's sign and kind say. */
    private void text(int from, int tagBegin, boolean stripsIndentation) {
        String text = source.substring(from, tagBegin);
        char sign = tagBegin + 2 < source.length() ? source.charAt(tagBegin + 2) : ' ';
        if (sign == '-') {
            text = PythonText.stripTrailing(text);
        } else if (sign != '+' && stripsIndentation) {
            int lineBegin = text.lastIndexOf('\n') + 1;
            if ((lineBegin > 0 || lineStarting) && PythonText.isBlank(text, lineBegin)) {
                text = text.substring(0, lineBegin);
            }
        }
        if (!text.isEmpty()) {
            add(Kind.TEXT, text, from);
        }
    }

    private void comment(int begin, int inside) {
        int end = source.indexOf("#}", inside);
        if (end < 0) {
            throw TemplateException.at(lineAt(begin), "missing end of comment");
        }
        char sign = end > inside ? source.charAt(end - 1) : ' ';
        position = afterBlock(end + 2, sign);
    }

    /** Returns where the text of a raw block begins, if a {@code raw} tag's name stands here, else -1. */
    private int rawBegin(int inside) {
        int at = skipSpace(inside);
        if (!source.startsWith("raw", at)) {
            return -1;
        }
        at = skipSpace(at + 3);
        if (source.startsWith("-%}", at)) {
            return skipSpace(at + 3);
        }
        return source.startsWith("%}", at) ? at + 2 : -1;
    }

    private void raw(int begin, int textBegin) {
        lineStarting = source.charAt(textBegin - 1) == '\n';
        for (int at = source.indexOf("{%", textBegin); at >= 0; at = source.indexOf("{%", at + 1)) {
            int inside = at + 2;
            if (inside < source.length() && isSign(source.charAt(inside))) {
                inside++;
            }
            int name = skipSpace(inside);
            if (!source.startsWith("endraw", name)) {
                continue;
            }
            int end = skipSpace(name + 6);
            char sign = end < source.length() ? source.charAt(end) : ' ';
            if (isSign(sign)) {
                end++;
            }
            if (source.startsWith("%}", end)) {
                text(textBegin, at, true);
                position = afterBlock(end + 2, sign);
                return;
            }
        }
        throw TemplateException.at(lineAt(begin), "missing end of raw block");
    }

    /** Returns where text goes on after a block or comment that ends at {@code end}, preceded by {@code sign}. */
    private int afterBlock(int end, char sign) {
        int next = end;
        if (sign == '-') {
            next = skipSpace(end);
        } else if (sign != '+' && end < source.length() && source.charAt(end) == '\n') {
            next = end + 1;
        }
        lineStarting = source.charAt(next - 1) == '\n';
        return next;
    }

    /** Cuts the inside of a block or print tag. */
    private void tag(boolean block) {
        int begin = position;
        Deque<Character> open = new ArrayDeque<>();
        while (true) {
            position = skipSpace(position);
            if (position >= source.length()) {
                throw TemplateException.at(lineAt(begin), "missing " + (block ? "'%}'" : "'}}'"));
            }
            if (open.isEmpty() && endTag(block)) {
                return;
            }
            char c = source.charAt(position);
            if (c >= '0' && c <= '9') {
                number();
            } else if (c == '\'' || c == '"') {
                string(c);
            } else if (isWord(source.codePointAt(position))) {
                word();
            } else {
                operator(open);
            }
        }
    }

    private boolean endTag(boolean block) {
        char c = source.charAt(position);
        char sign = c == '-' || (c == '+' && block) ? c : ' ';
        int end = sign == ' ' ? position : position + 1;
        if (!source.startsWith(block ? "%}" : "}}", end)) {
            return false;
        }
        add(block ? Kind.BLOCK_END : Kind.PRINT_END, "", position);
        if (block) {
            position = afterBlock(end + 2, sign);
        } else {
            position = sign == '-' ? skipSpace(end + 2) : end + 2;
            lineStarting = source.charAt(position - 1) == '\n';
        }
        return true;
    }

    private void number() {
        int end = NumberLexer.floatEnd(source, position);
        if (end > 0 && (position == 0 || source.charAt(position - 1) != '.')) {
            add(Kind.FLOAT, source.substring(position, end).replace("_", ""), position);
        } else {
            end = NumberLexer.integerEnd(source, position);
            add(Kind.INTEGER, source.substring(position, end).replace("_", ""), position);
        }
        position = end;
    }

    private void string(char quote) {
        int end = position + 1;
        while (end < source.length() && source.charAt(end) != quote) {
            end += source.charAt(end) == '\\' ? 2 : 1;
        }
        if (end >= source.length()) {
            throw TemplateException.at(lineAt(position), "string without an end");
        }
        String value = StringEscapes.unescape(source.substring(position + 1, end), lineAt(position));
        add(Kind.STRING, value, position);
        position = end + 1;
    }

    private void word() {
        int end = position;
        while (end < source.length() && isWord(source.codePointAt(end))) {
            end += Character.charCount(source.codePointAt(end));
        }
        add(Kind.NAME, source.substring(position, end), position);
        position = end;
    }

    private void operator(Deque<Character> open) {
        for (String operator : OPERATORS) {
            if (source.startsWith(operator, position)) {
                balance(operator.charAt(0), open);
                add(Kind.OPERATOR, operator, position);
                position += operator.length();
                return;
            }
        }
        String character = Character.toString(source.codePointAt(position));
        throw TemplateException.at(lineAt(position), "unexpected character '" + character + "'");
    }

    private void balance(char c, Deque<Character> open) {
        switch (c) {
            case '(' -> open.push(')');
            case '[' -> open.push(']');
            case '{' -> open.push('}');
            case ')', ']', '}' -> {
                if (open.isEmpty() || open.pop() != c) {
                    throw TemplateException.at(lineAt(position), "unexpected '" + c + "'");
                }
            }
            default -> {}
        }
    }

    private int nextTag(int from) {
        for (int at = source.indexOf('{', from); at >= 0; at = source.indexOf('{', at + 1)) {
            char next = at + 1 < source.length() ? source.charAt(at + 1) : ' ';
            if (next == '%' || next == '{' || next == '#') {
                return at;
            }
        }
        return -1;
    }

    private int skipSpace(int from) {
        int at = from;
        while (at < source.length() && PythonText.isSpace(source.charAt(at))) {
            at++;
        }
        return at;
    }

    private static boolean isSign(char c) {
        return c == '-' || c == '+';
    }

    private static boolean isWord(int codePoint) {
        return codePoint == '_' || Character.isLetterOrDigit(codePoint);
    }

    private void add(Kind kind, String text, int at) {
        tokens.add(new Token(kind, text, lineAt(at)));
    }

    /** Returns the line of an offset; offsets are asked for in rising order, save for errors. */
    private int lineAt(int offset) {
        while (lineCountedTo < offset) {
            if (source.charAt(lineCountedTo++) == '\n') {
                line++;
            }
        }
        return line;
    }
}
