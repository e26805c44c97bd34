package io.millrace.text.template;

import io.millrace.text.template.Expression.CallArguments;
import io.millrace.text.template.Token.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** Parses expressions with Jinja's precedence: each method is one level of it and goes past what it read. */
final class ExpressionParser {
    /** Nesting of parentheses, signs and calls: each level takes a dozen frames of the stack. */
    private static final int MAX_NESTING = 150;

    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final TokenStream tokens;
    private final Map<String, Integer> timesRead = new HashMap<>();
    private int nesting;

    /** Above zero inside what may never be evaluated, where names of unknown filters are let through. */
    private int conditionals;

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
    }

    /** Returns how often a variable was read so far. */
    int timesRead(String name) {
        return timesRead.getOrDefault(name, 0);
    }

    void enterConditional() {
        conditionals++;
    }

    void leaveConditional() {
        conditionals--;
    }

    /** Parses a whole expression; several, separated by commas, are a tuple. */
    Expression tupleOrExpression() {
        return tuple(true, false, "");
    }

    /** Parses what a loop goes over: no conditional expression, as {@code if} there filters the loop. */
    Expression loopIterable() {
        return tuple(false, false, "recursive");
    }

    /** Parses what a branch tests, which cannot be a conditional expression itself. */
    Expression branchTest() {
        return tuple(false, false, "");
    }

    private Expression tuple(boolean withConditional, boolean mayBeEmpty, String endName) {
        List<Expression> items = new ArrayList<>();
        boolean isTuple = false;
        while (!atTupleEnd(endName)) {
            items.add(withConditional ? expression() : nested(this::or));
            if (!tokens.skipOperator(",")) {
                break;
            }
            isTuple = true;
        }
        if (isTuple || (items.isEmpty() && mayBeEmpty)) {
            return new Expression.TupleLiteral(List.copyOf(items));
        }
        if (items.isEmpty()) {
            throw tokens.unexpected("an expression");
        }
        return items.get(0);
    }

    private boolean atTupleEnd(String endName) {
        return tokens.at(Kind.PRINT_END)
                || tokens.at(Kind.BLOCK_END)
                || tokens.atOperator(")")
                || (!endName.isEmpty() && tokens.atName(endName));
    }

    /** Parses one expression. */
    Expression expression() {
        return nested(this::conditional);
    }

    private Expression nested(Supplier<Expression> rule) {
        if (++nesting > MAX_NESTING) {
            throw tokens.fail("expressions nest deeper than " + MAX_NESTING + " levels");
        }
        Expression result = rule.get();
        nesting--;
        return result;
    }

    private Expression conditional() {
        Expression value = or();
        while (tokens.skipName("if")) {
            Expression test = or();
            Expression otherwise = tokens.skipName("else") ? expression() : null;
            value = new Expression.Conditional(test, value, otherwise);
        }
        return value;
    }

    private Expression or() {
        Expression left = and();
        while (tokens.skipName("or")) {
            left = new Expression.Logical(false, left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.skipName("and")) {
            left = new Expression.Logical(true, left, not());
        }
        return left;
    }

    private Expression not() {
        if (tokens.skipName("not")) {
            return new Expression.Not(nested(this::not));
        }
        return comparison();
    }

    private Expression comparison() {
        Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Expression> operands = new ArrayList<>();
        while (true) {
            if (tokens.at(Kind.OPERATOR)
                    && COMPARISONS.contains(tokens.current().text())) {
                operators.add(tokens.next().text());
            } else if (tokens.skipName("in")) {
                operators.add("in");
            } else if (tokens.atName("not") && tokens.ahead().isName("in")) {
                tokens.next();
                tokens.next();
                operators.add("not in");
            } else {
                break;
            }
            operands.add(sum());
        }
        return operators.isEmpty()
                ? first
                : new Expression.Compare(first, List.copyOf(operators), List.copyOf(operands));
    }

    private Expression sum() {
        Expression left = concat();
        while (tokens.atOperator("+") || tokens.atOperator("-")) {
            String operator = tokens.next().text();
            left = new Expression.Binary(operator, left, concat());
        }
        return left;
    }

    private Expression concat() {
        Expression first = product();
        if (!tokens.atOperator("~")) {
            return first;
        }
        List<Expression> parts = new ArrayList<>();
        parts.add(first);
        while (tokens.skipOperator("~")) {
            parts.add(product());
        }
        return new Expression.Concat(List.copyOf(parts));
    }

    private Expression product() {
        Expression left = power();
        while (tokens.atOperator("*") || tokens.atOperator("/") || tokens.atOperator("//") || tokens.atOperator("%")) {
            String operator = tokens.next().text();
            left = new Expression.Binary(operator, left, power());
        }
        return left;
    }

    private Expression power() {
        Expression left = unary(true);
        while (tokens.skipOperator("**")) {
            left = new Expression.Binary("**", left, unary(true));
        }
        return left;
    }

    private Expression unary(boolean withFilters) {
        Expression value;
        if (tokens.atOperator("-") || tokens.atOperator("+")) {
            boolean negative = tokens.next().text().equals("-");
            value = new Expression.Sign(negative, nested(() -> unary(false)));
        } else {
            value = primary();
        }
        value = postfix(value);
        return withFilters ? filters(value) : value;
    }

    /** Parses a literal, a name, or something in brackets. */
    private Expression primary() {
        Token token = tokens.current();
        switch (token.kind()) {
            case NAME -> {
                tokens.next();
                return switch (token.text()) {
                    case "true", "True" -> new Expression.Literal(true);
                    case "false", "False" -> new Expression.Literal(false);
                    case "none", "None" -> new Expression.Literal(None.NONE);
                    default -> {
                        timesRead.merge(token.text(), 1, Integer::sum);
                        yield new Expression.Name(token.text());
                    }
                };
            }
            case STRING -> {
                StringBuilder text = new StringBuilder();
                while (tokens.at(Kind.STRING)) {
                    text.append(tokens.next().text());
                }
                return new Expression.Literal(text.toString());
            }
            case INTEGER -> {
                tokens.next();
                return new Expression.Literal(integer(token.text()));
            }
            case FLOAT -> {
                tokens.next();
                return new Expression.Literal(Double.parseDouble(token.text()));
            }
            default -> {
                return bracketed();
            }
        }
    }

    private Expression bracketed() {
        if (tokens.skipOperator("(")) {
            Expression value = nested(() -> tuple(true, true, ""));
            tokens.expectOperator(")");
            return value;
        }
        if (tokens.skipOperator("[")) {
            List<Expression> items = new ArrayList<>();
            while (!tokens.atOperator("]")) {
                items.add(expression());
                if (!tokens.skipOperator(",")) {
                    break;
                }
            }
            tokens.expectOperator("]");
            return new Expression.ListLiteral(List.copyOf(items));
        }
        if (tokens.skipOperator("{")) {
            return dict();
        }
        throw tokens.unexpected("an expression");
    }

    private Expression dict() {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.atOperator("}")) {
            keys.add(expression());
            tokens.expectOperator(":");
            values.add(expression());
            if (!tokens.skipOperator(",")) {
                break;
            }
        }
        tokens.expectOperator("}");
        return new Expression.DictLiteral(List.copyOf(keys), List.copyOf(values));
    }

    private static Object integer(String spelling) {
        String digits = spelling.toLowerCase(Locale.ROOT);
        if (digits.startsWith("0x")) {
            return Numbers.normalize(new BigInteger(digits.substring(2), 16));
        }
        if (digits.startsWith("0o")) {
            return Numbers.normalize(new BigInteger(digits.substring(2), 8));
        }
        if (digits.startsWith("0b")) {
            return Numbers.normalize(new BigInteger(digits.substring(2), 2));
        }
        return Numbers.parseInteger(digits);
    }

    private Expression postfix(Expression value) {
        Expression result = value;
        while (true) {
            if (tokens.skipOperator(".")) {
                result = attribute(result);
            } else if (tokens.skipOperator("[")) {
                result = subscript(result);
            } else if (tokens.atOperator("(")) {
                result = new Expression.Call(result, callArguments());
            } else {
                return result;
            }
        }
    }

    private Expression attribute(Expression target) {
        if (tokens.at(Kind.INTEGER)) {
            return new Expression.Item(
                    target, new Expression.Literal(integer(tokens.next().text())));
        }
        return new Expression.Attribute(target, tokens.expectName());
    }

    private Expression subscript(Expression target) {
        Expression start = null;
        if (!tokens.atOperator(":")) {
            start = nested(() -> rest(expression()));
            if (tokens.skipOperator("]")) {
                return new Expression.Item(target, start);
            }
        }
        tokens.expectOperator(":");
        Expression stop = tokens.atOperator(":") || tokens.atOperator("]") ? null : expression();
        Expression step = null;
        if (tokens.skipOperator(":") && !tokens.atOperator("]")) {
            step = expression();
        }
        tokens.expectOperator("]");
        return new Expression.Slice(target, start, stop, step);
    }

    /** Parses what follows {@code first} in {@code a[first, second]}. */
    private Expression rest(Expression first) {
        if (!tokens.atOperator(",")) {
            return first;
        }
        List<Expression> items = new ArrayList<>();
        items.add(first);
        while (tokens.skipOperator(",")) {
            items.add(expression());
        }
        return new Expression.TupleLiteral(List.copyOf(items));
    }

    private Expression filters(Expression value) {
        Expression result = value;
        while (true) {
            if (tokens.atOperator("|")) {
                result = filter(result);
            } else if (tokens.skipName("is")) {
                result = test(result);
            } else if (tokens.atOperator("(")) {
                result = new Expression.Call(result, callArguments());
            } else {
                return result;
            }
        }
    }

    /** Parses {@code |name(arguments)} once or more. */
    Expression filterChain(Expression value) {
        Expression result = value;
        while (tokens.atOperator("|")) {
            result = filter(result);
        }
        return result;
    }

    private Expression filter(Expression value) {
        tokens.expectOperator("|");
        return namedFilter(value);
    }

    /** Parses {@code name(arguments)} as a filter of a value. */
    Expression namedFilter(Expression value) {
        String name = dottedName();
        if (conditionals == 0 && !Filters.has(name)) {
            throw tokens.fail("no filter named '" + name + "'");
        }
        CallArguments arguments = tokens.atOperator("(") ? callArguments() : CallArguments.NONE;
        return new Expression.Filter(value, name, arguments);
    }

    private String dottedName() {
        StringBuilder name = new StringBuilder(tokens.expectName());
        while (tokens.skipOperator(".")) {
            name.append('.').append(tokens.expectName());
        }
        return name.toString();
    }

    private Expression test(Expression value) {
        boolean negated = tokens.skipName("not");
        String name = dottedName();
        if (conditionals == 0 && !Tests.has(name)) {
            throw tokens.fail("no test named '" + name + "'");
        }
        CallArguments arguments = CallArguments.NONE;
        if (tokens.atOperator("(")) {
            arguments = callArguments();
        } else if (atTestArgument()) {
            if (tokens.atName("is")) {
                throw tokens.fail("tests cannot be chained with 'is'");
            }
            Expression argument = nested(() -> postfix(primary()));
            arguments = new CallArguments(List.of(argument), Map.of(), null, null);
        }
        Expression test = new Expression.Test(value, name, arguments);
        return negated ? new Expression.Not(test) : test;
    }

    private boolean atTestArgument() {
        Token token = tokens.current();
        return switch (token.kind()) {
            case NAME -> !token.isName("else") && !token.isName("or") && !token.isName("and");
            case STRING, INTEGER, FLOAT -> true;
            case OPERATOR -> token.isOperator("(") || token.isOperator("[") || token.isOperator("{");
            default -> false;
        };
    }

    /** Parses {@code (a, b, name=c, *d, **e)}. */
    CallArguments callArguments() {
        tokens.expectOperator("(");
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        Expression star = null;
        Expression doubleStar = null;
        while (!tokens.atOperator(")")) {
            if (tokens.skipOperator("*") && star == null && doubleStar == null) {
                star = expression();
            } else if (tokens.skipOperator("**") && doubleStar == null) {
                doubleStar = expression();
            } else if (tokens.at(Kind.NAME) && tokens.ahead().isOperator("=") && doubleStar == null) {
                String name = tokens.expectName();
                tokens.expectOperator("=");
                if (named.put(name, expression()) != null) {
                    throw tokens.fail("the argument '" + name + "' is given twice");
                }
            } else if (named.isEmpty() && star == null && doubleStar == null) {
                positional.add(expression());
            } else {
                throw tokens.fail("a positional argument follows others");
            }
            if (!tokens.skipOperator(",")) {
                break;
            }
        }
        tokens.expectOperator(")");
        return new CallArguments(List.copyOf(positional), new LinkedHashMap<>(named), star, doubleStar);
    }

    /** Parses a name, or names in parentheses and separated by commas, that a value is assigned to. */
    Statement.Target target(boolean withNamespace) {
        List<Statement.Target> targets = new ArrayList<>();
        boolean several = false;
        while (tokens.at(Kind.NAME) && !tokens.atName("in") || tokens.atOperator("(")) {
            targets.add(singleTarget(withNamespace));
            if (!tokens.skipOperator(",")) {
                break;
            }
            several = true;
        }
        if (targets.isEmpty()) {
            throw tokens.unexpected("a name to assign to");
        }
        return several ? new Statement.Target.Several(List.copyOf(targets)) : targets.get(0);
    }

    private Statement.Target singleTarget(boolean withNamespace) {
        if (tokens.skipOperator("(")) {
            if (++nesting > MAX_NESTING) {
                throw tokens.fail("targets nest deeper than " + MAX_NESTING + " levels");
            }
            Statement.Target inner = target(withNamespace);
            nesting--;
            tokens.expectOperator(")");
            return inner;
        }
        String name = tokens.expectName();
        if (withNamespace && tokens.skipOperator(".")) {
            return new Statement.Target.NamespaceAttribute(name, tokens.expectName());
        }
        if (Set.of("true", "false", "none", "True", "False", "None").contains(name)) {
            throw tokens.fail("cannot assign to '" + name + "'");
        }
        return new Statement.Target.Variable(name);
    }
}
