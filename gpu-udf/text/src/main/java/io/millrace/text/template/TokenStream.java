package io.millrace.text.template;

import io.millrace.text.template.Token.Kind;
import java.util.List;

/** The tokens of a template while they are parsed. */
final class TokenStream {
    private final List<Token> tokens;
    private int index;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token current() {
        return tokens.get(index);
    }

    Token ahead() {
        return tokens.get(Math.min(index + 1, tokens.size() - 1));
    }

    /** Returns the current token and goes past it; the end is never passed. */
    Token next() {
        Token token = tokens.get(index);
        if (token.kind() != Kind.END) {
            index++;
        }
        return token;
    }

    boolean at(Kind kind) {
        return current().kind() == kind;
    }

    boolean atOperator(String operator) {
        return current().isOperator(operator);
    }

    boolean atName(String name) {
        return current().isName(name);
    }

    boolean skipOperator(String operator) {
        boolean found = atOperator(operator);
        if (found) {
            index++;
        }
        return found;
    }

    boolean skipName(String name) {
        boolean found = atName(name);
        if (found) {
            index++;
        }
        return found;
    }

    Token expect(Kind kind) {
        if (!at(kind)) {
            throw unexpected(new Token(kind, "", 0).describe());
        }
        return next();
    }

    /** Goes past a name and returns it. */
    String expectName() {
        if (!at(Kind.NAME)) {
            throw unexpected("a name");
        }
        return next().text();
    }

    void expectName(String name) {
        if (!skipName(name)) {
            throw unexpected("'" + name + "'");
        }
    }

    void expectOperator(String operator) {
        if (!skipOperator(operator)) {
            throw unexpected("'" + operator + "'");
        }
    }

    TemplateException unexpected(String wanted) {
        return fail("expected " + wanted + ", found " + current().describe());
    }

    TemplateException fail(String message) {
        return TemplateException.at(current().line(), message);
    }
}
