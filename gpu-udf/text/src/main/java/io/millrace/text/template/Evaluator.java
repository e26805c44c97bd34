package io.millrace.text.template;

import io.millrace.text.template.Expression.CallArguments;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Computes the values of expressions. */
final class Evaluator {
    /** Name under which a block's text is held while its filters run; no template can spell it. */
    static final String BLOCK_TEXT = "\0";

    private final RenderContext context;
    private final Budget budget;

    Evaluator(RenderContext context) {
        this.context = context;
        this.budget = context.budget();
    }

    Object evaluate(Expression expression, Scope scope) {
        budget.enter();
        Object value;
        if (expression instanceof Expression.Literal literal) {
            value = literal.value();
        } else if (expression instanceof Expression.Name name) {
            value = scope.get(name.name());
        } else if (expression instanceof Expression.Attribute attribute) {
            value = Attributes.attribute(evaluate(attribute.target(), scope), attribute.name());
        } else if (expression instanceof Expression.Item item) {
            Object target = evaluate(item.target(), scope);
            value = Attributes.item(target, evaluate(item.key(), scope));
        } else if (expression instanceof Expression.Call call) {
            value = callWith(call, null, scope);
        } else if (expression instanceof Expression.Filter filter) {
            Object target = evaluate(filter.target(), scope);
            value = Filters.apply(context, filter.name(), target, arguments(filter.arguments(), scope));
        } else if (expression instanceof Expression.Test test) {
            Object target = evaluate(test.target(), scope);
            value = Tests.test(context, test.name(), target, arguments(test.arguments(), scope));
        } else {
            value = operation(expression, scope);
        }
        budget.leave();
        return value;
    }

    private Object operation(Expression expression, Scope scope) {
        if (expression instanceof Expression.Logical logical) {
            Object left = evaluate(logical.left(), scope);
            return Values.isTrue(left) == logical.and() ? evaluate(logical.right(), scope) : left;
        }
        if (expression instanceof Expression.Not not) {
            return !Values.isTrue(evaluate(not.operand(), scope));
        }
        if (expression instanceof Expression.Compare compare) {
            return compare(compare, scope);
        }
        if (expression instanceof Expression.Binary binary) {
            Object left = evaluate(binary.left(), scope);
            return Operators.binary(binary.operator(), left, evaluate(binary.right(), scope), context);
        }
        if (expression instanceof Expression.Concat concat) {
            List<String> parts = new ArrayList<>(concat.parts().size());
            for (Expression part : concat.parts()) {
                parts.add(context.str(evaluate(part, scope)));
            }
            return StringMethods.join("", parts, budget);
        }
        if (expression instanceof Expression.Conditional conditional) {
            if (Values.isTrue(evaluate(conditional.test(), scope))) {
                return evaluate(conditional.then(), scope);
            }
            return conditional.otherwise() == null
                    ? new Undefined("the inline if-expression evaluated to false and no else section was defined")
                    : evaluate(conditional.otherwise(), scope);
        }
        if (expression instanceof Expression.Sign sign) {
            return Operators.sign(sign.negative(), evaluate(sign.operand(), scope));
        }
        if (expression instanceof Expression.Slice slice) {
            return slice(slice, scope);
        }
        return collection(expression, scope);
    }

    private Object collection(Expression expression, Scope scope) {
        if (expression instanceof Expression.ListLiteral list) {
            return values(list.items(), scope);
        }
        if (expression instanceof Expression.TupleLiteral tuple) {
            return new Tuple(values(tuple.items(), scope));
        }
        if (expression instanceof Expression.DictLiteral dict) {
            Map<Object, Object> map = new LinkedHashMap<>();
            for (int i = 0; i < dict.keys().size(); i++) {
                Object key = Values.key(map, evaluate(dict.keys().get(i), scope));
                map.put(key, evaluate(dict.values().get(i), scope));
            }
            return map;
        }
        return scope.get(BLOCK_TEXT);
    }

    private Object compare(Expression.Compare compare, Scope scope) {
        Object left = evaluate(compare.first(), scope);
        for (int i = 0; i < compare.operators().size(); i++) {
            Object right = evaluate(compare.operands().get(i), scope);
            if (!Operators.compare(compare.operators().get(i), left, right, budget)) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private Object slice(Expression.Slice slice, Scope scope) {
        Object target = evaluate(slice.target(), scope);
        Object start = slice.start() == null ? None.NONE : evaluate(slice.start(), scope);
        Object stop = slice.stop() == null ? None.NONE : evaluate(slice.stop(), scope);
        Object step = slice.step() == null ? None.NONE : evaluate(slice.step(), scope);
        return Attributes.slice(target, start, stop, step, budget);
    }

    private List<Object> values(List<Expression> expressions, Scope scope) {
        List<Object> values = new ArrayList<>(expressions.size());
        for (Expression expression : expressions) {
            values.add(evaluate(expression, scope));
        }
        return values;
    }

    /** Calls a value, with the block of a {@code call} tag if there is one. */
    Object callWith(Expression.Call call, @Nullable Macro caller, Scope scope) {
        Object callee = evaluate(call.target(), scope);
        Arguments arguments = arguments(call.arguments(), scope);
        if (caller != null) {
            Map<String, Object> named = new LinkedHashMap<>(arguments.named());
            named.put("caller", caller);
            arguments = new Arguments(arguments.positional(), named);
        }
        return context.call(callee, arguments);
    }

    private Arguments arguments(CallArguments expressions, Scope scope) {
        if (expressions == CallArguments.NONE) {
            return Arguments.NONE;
        }
        List<Object> positional = values(expressions.positional(), scope);
        Map<String, Object> named = new LinkedHashMap<>();
        expressions.named().forEach((name, expression) -> named.put(name, evaluate(expression, scope)));
        if (expressions.star() != null) {
            positional.addAll(Values.elements(evaluate(expressions.star(), scope), budget));
        }
        if (expressions.doubleStar() != null) {
            if (!(evaluate(expressions.doubleStar(), scope) instanceof Map<?, ?> map)) {
                throw TemplateException.of("argument after ** must be a mapping");
            }
            map.forEach((key, value) -> named.put(context.str(key), value));
        }
        return new Arguments(positional, named);
    }
}
