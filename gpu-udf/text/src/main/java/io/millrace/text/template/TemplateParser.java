package io.millrace.text.template;

import io.millrace.text.template.Statement.Branch;
import io.millrace.text.template.Statement.MacroBody;
import io.millrace.text.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Parses a template into its statements. */
final class TemplateParser {
    /** Nesting of blocks; published templates stay below ten. */
    private static final int MAX_NESTING = 60;

    private static final Expression BLOCK_TEXT = new Expression.BlockText();

    private final TokenStream tokens;
    private final ExpressionParser expressions;
    private int nesting;
    private int loops;

    private TemplateParser(List<Token> tokens) {
        this.tokens = new TokenStream(tokens);
        this.expressions = new ExpressionParser(this.tokens);
    }

    /** Parses a whole template. */
    static List<Statement> parse(String source) {
        TemplateParser parser = new TemplateParser(Lexer.tokens(source));
        List<Statement> statements = parser.statements(Set.of());
        if (!parser.tokens.at(Kind.END)) {
            throw parser.tokens.unexpected("the end of the template");
        }
        return statements;
    }

    /** Parses statements up to a tag of one of the given names; that tag's name is the current token then. */
    private List<Statement> statements(Set<String> endTags) {
        if (++nesting > MAX_NESTING) {
            throw tokens.fail("blocks nest deeper than " + MAX_NESTING + " levels");
        }
        List<Statement> statements = new ArrayList<>();
        while (!tokens.at(Kind.END)) {
            Token token = tokens.next();
            switch (token.kind()) {
                case TEXT -> statements.add(new Statement.Text(token.text()));
                case PRINT_BEGIN -> {
                    Expression value = expressions.tupleOrExpression();
                    tokens.expect(Kind.PRINT_END);
                    statements.add(new Statement.Print(token.line(), value));
                }
                case BLOCK_BEGIN -> {
                    if (tokens.at(Kind.NAME)
                            && endTags.contains(tokens.current().text())) {
                        nesting--;
                        return List.copyOf(statements);
                    }
                    statements.add(statement());
                    tokens.expect(Kind.BLOCK_END);
                }
                default -> throw TemplateException.at(token.line(), "unexpected " + token.describe());
            }
        }
        if (!endTags.isEmpty()) {
            throw tokens.unexpected("a tag " + String.join(" or ", new TreeSet<>(endTags)));
        }
        nesting--;
        return List.copyOf(statements);
    }

    /** Parses the body of a block and goes past the name of the tag that ends it. */
    private List<Statement> body(String endTag) {
        List<Statement> body = bodyUpTo(Set.of(endTag));
        tokens.next();
        return body;
    }

    private List<Statement> bodyUpTo(Set<String> endTags) {
        tokens.skipOperator(":");
        tokens.expect(Kind.BLOCK_END);
        return statements(endTags);
    }

    private Statement statement() {
        int line = tokens.current().line();
        String tag = tokens.expectName();
        return switch (tag) {
            case "if" -> ifStatement();
            case "for" -> forStatement(line);
            case "set" -> setStatement(line);
            case "macro" -> macroStatement();
            case "call" -> callStatement(line);
            case "filter" -> new Statement.FilterBlock(line, filterChain(), body("endfilter"));
            case "with" -> withStatement(line);
            case "generation" -> new Statement.FilterBlock(line, BLOCK_TEXT, unlooped("endgeneration"));
            case "print" -> new Statement.Print(line, expressions.tupleOrExpression());
            case "break" -> jump(true);
            case "continue" -> jump(false);
            default -> throw TemplateException.at(line, "unknown or unsupported tag '" + tag + "'");
        };
    }

    private Statement jump(boolean breaks) {
        if (loops == 0) {
            throw tokens.fail("'" + (breaks ? "break" : "continue") + "' outside a loop");
        }
        return new Statement.Jump(breaks);
    }

    private Expression filterChain() {
        return expressions.filterChain(expressions.namedFilter(BLOCK_TEXT));
    }

    private Statement ifStatement() {
        List<Branch> branches = new ArrayList<>();
        List<Statement> otherwise = List.of();
        expressions.enterConditional();
        while (true) {
            int line = tokens.current().line();
            Expression test = expressions.branchTest();
            branches.add(new Branch(line, test, bodyUpTo(Set.of("elif", "else", "endif"))));
            String tag = tokens.expectName();
            if (tag.equals("else")) {
                otherwise = body("endif");
            }
            if (!tag.equals("elif")) {
                break;
            }
        }
        expressions.leaveConditional();
        return new Statement.If(List.copyOf(branches), otherwise);
    }

    private Statement forStatement(int line) {
        Statement.Target target = expressions.target(false);
        tokens.expectName("in");
        Expression iterable = expressions.loopIterable();
        Expression condition = tokens.skipName("if") ? expressions.expression() : null;
        boolean recursive = tokens.skipName("recursive");
        loops++;
        List<Statement> body = bodyUpTo(Set.of("else", "endfor"));
        loops--;
        List<Statement> otherwise = List.of();
        if (tokens.expectName().equals("else")) {
            otherwise = body("endfor");
        }
        return new Statement.For(line, target, iterable, condition, recursive, body, otherwise);
    }

    private Statement setStatement(int line) {
        Statement.Target target = expressions.target(true);
        if (tokens.skipOperator("=")) {
            return new Statement.Assign(line, target, expressions.tupleOrExpression());
        }
        Expression value = expressions.filterChain(BLOCK_TEXT);
        return new Statement.AssignBlock(line, target, value, body("endset"));
    }

    private Statement macroStatement() {
        String name = tokens.expectName();
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        signature(parameters, defaults);
        return new Statement.DefineMacro(name, macroBody(parameters, defaults, "endmacro"));
    }

    private Statement callStatement(int line) {
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        if (tokens.atOperator("(")) {
            signature(parameters, defaults);
        }
        if (!(expressions.expression() instanceof Expression.Call call)) {
            throw TemplateException.at(line, "expected a call");
        }
        return new Statement.CallBlock(line, call, macroBody(parameters, defaults, "endcall"));
    }

    private MacroBody macroBody(List<String> parameters, List<Expression> defaults, String endTag) {
        int varargs = expressions.timesRead("varargs");
        int kwargs = expressions.timesRead("kwargs");
        List<Statement> body = unlooped(endTag);
        return new MacroBody(
                List.copyOf(parameters),
                List.copyOf(defaults),
                expressions.timesRead("varargs") > varargs,
                expressions.timesRead("kwargs") > kwargs,
                body);
    }

    private void signature(List<String> parameters, List<Expression> defaults) {
        tokens.expectOperator("(");
        while (!tokens.atOperator(")")) {
            parameters.add(tokens.expectName());
            if (tokens.skipOperator("=")) {
                defaults.add(expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw tokens.fail("a parameter without a default follows one with a default");
            }
            if (!tokens.skipOperator(",")) {
                break;
            }
        }
        tokens.expectOperator(")");
    }

    /** Parses a body that jumps of the loops around it do not reach into. */
    private List<Statement> unlooped(String endTag) {
        int loopsAround = loops;
        loops = 0;
        List<Statement> body = body(endTag);
        loops = loopsAround;
        return body;
    }

    private Statement withStatement(int line) {
        List<Statement.Target> targets = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.at(Kind.BLOCK_END)) {
            if (!targets.isEmpty()) {
                tokens.expectOperator(",");
            }
            targets.add(new Statement.Target.Variable(tokens.expectName()));
            tokens.expectOperator("=");
            values.add(expressions.expression());
        }
        return new Statement.With(line, List.copyOf(targets), List.copyOf(values), body("endwith"));
    }
}
