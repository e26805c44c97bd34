package io.millrace.text.template;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An expression of a template, parsed. */
sealed interface Expression {

    /** A constant. */
    record Literal(Object value) implements Expression {}

    /** A variable. */
    record Name(String name) implements Expression {}

    /** {@code [a, b]}. */
    record ListLiteral(List<Expression> items) implements Expression {}

    /** {@code (a, b)}. */
    record TupleLiteral(List<Expression> items) implements Expression {}

    /** {@code {a: b}}; keys and values have one length. */
    record DictLiteral(List<Expression> keys, List<Expression> values) implements Expression {}

    /** {@code a ~ b ~ c}. */
    record Concat(List<Expression> parts) implements Expression {}

    /** Arithmetic; the operator as it is spelled. */
    record Binary(String operator, Expression left, Expression right) implements Expression {}

    /** {@code -a}, {@code +a}. */
    record Sign(boolean negative, Expression operand) implements Expression {}

    /** {@code not a}. */
    record Not(Expression operand) implements Expression {}

    /** {@code a and b}, {@code a or b}; its value is one of the operands. */
    record Logical(boolean and, Expression left, Expression right) implements Expression {}

    /** {@code a < b <= c}: each operator stands before the operand of its index. */
    record Compare(Expression first, List<String> operators, List<Expression> operands) implements Expression {}

    /** {@code a if test else b}. */
    record Conditional(
            Expression test, Expression then, @Nullable Expression otherwise) implements Expression {}

    /** {@code a.name}. */
    record Attribute(Expression target, String name) implements Expression {}

    /** {@code a[key]}. */
    record Item(Expression target, Expression key) implements Expression {}

    /** {@code a[start:stop:step]}. */
    record Slice(
            Expression target,
            @Nullable Expression start,
            @Nullable Expression stop,
            @Nullable Expression step) implements Expression {}

    /** {@code a|name(arguments)}. */
    record Filter(Expression target, String name, CallArguments arguments) implements Expression {}

    /** {@code a is name(arguments)}. */
    record Test(Expression target, String name, CallArguments arguments) implements Expression {}

    /** {@code a(arguments)}. */
    record Call(Expression target, CallArguments arguments) implements Expression {}

    /** Stands for the text of a block that filters are applied to. */
    record BlockText() implements Expression {}

    /** The arguments of a call, a filter or a test. */
    record CallArguments(
            List<Expression> positional,
            Map<String, Expression> named,
            @Nullable Expression star,
            @Nullable Expression doubleStar) {
        static final CallArguments NONE = new CallArguments(List.of(), Map.of(), null, null);
    }
}
