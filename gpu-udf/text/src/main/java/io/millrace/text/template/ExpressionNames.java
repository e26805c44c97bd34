package io.millrace.text.template;

import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Finds the variables that an expression reads. */
final class ExpressionNames {
    /** Chains of operators nest to the left; a longer one than this could not be computed either. */
    private static final int MAX_DEPTH = 1000;

    private final Consumer<String> names;
    private int depth;

    private ExpressionNames(Consumer<String> names) {
        this.names = names;
    }

    /** Hands over the name of each variable, in the order in which they are written. */
    static void visit(Expression expression, Consumer<String> names) {
        new ExpressionNames(names).visit(expression);
    }

    private void visit(@Nullable Expression expression) {
        if (++depth > MAX_DEPTH) {
            throw TemplateException.of("an expression nests deeper than " + MAX_DEPTH + " levels");
        }
        if (expression instanceof Expression.Name name) {
            names.accept(name.name());
        } else if (expression instanceof Expression.ListLiteral list) {
            visit(list.items());
        } else if (expression instanceof Expression.TupleLiteral tuple) {
            visit(tuple.items());
        } else if (expression instanceof Expression.DictLiteral dict) {
            visit(dict.keys());
            visit(dict.values());
        } else if (expression instanceof Expression.Concat concat) {
            visit(concat.parts());
        } else if (expression instanceof Expression.Binary binary) {
            visit(binary.left());
            visit(binary.right());
        } else if (expression instanceof Expression.Logical logical) {
            visit(logical.left());
            visit(logical.right());
        } else if (expression instanceof Expression.Compare compare) {
            visit(compare.first());
            visit(compare.operands());
        } else if (expression instanceof Expression.Conditional conditional) {
            visit(conditional.test());
            visit(conditional.then());
            visit(conditional.otherwise());
        } else {
            visitOneOperand(expression);
        }
        depth--;
    }

    private void visitOneOperand(@Nullable Expression expression) {
        if (expression instanceof Expression.Sign sign) {
            visit(sign.operand());
        } else if (expression instanceof Expression.Not not) {
            visit(not.operand());
        } else if (expression instanceof Expression.Attribute attribute) {
            visit(attribute.target());
        } else if (expression instanceof Expression.Item item) {
            visit(item.target());
            visit(item.key());
        } else if (expression instanceof Expression.Slice slice) {
            visit(slice.target());
            visit(slice.start());
            visit(slice.stop());
            visit(slice.step());
        } else if (expression instanceof Expression.Filter filter) {
            visit(filter.target());
            visit(filter.arguments());
        } else if (expression instanceof Expression.Test test) {
            visit(test.target());
            visit(test.arguments());
        } else if (expression instanceof Expression.Call call) {
            visit(call.target());
            visit(call.arguments());
        }
    }

    private void visit(List<Expression> expressions) {
        expressions.forEach(this::visit);
    }

    private void visit(Expression.CallArguments arguments) {
        visit(arguments.positional());
        arguments.named().values().forEach(this::visit);
        visit(arguments.star());
        visit(arguments.doubleStar());
    }
}
