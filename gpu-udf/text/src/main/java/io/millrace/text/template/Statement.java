package io.millrace.text.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A statement of a template, parsed. */
sealed interface Statement {

    /** Text that is written as it stands. */
    record Text(String text) implements Statement {}

    /** {@code {{ value }}}. */
    record Print(int line, Expression value) implements Statement {}

    /** {@code {% if %}}: the first branch whose test holds, else {@code otherwise}. */
    record If(List<Branch> branches, List<Statement> otherwise) implements Statement {}

    /** One test of an {@link If} and what it guards. */
    record Branch(int line, Expression test, List<Statement> body) {}

    /** {@code {% for target in iterable if condition %}}. */
    record For(
            int line,
            Target target,
            Expression iterable,
            @Nullable Expression condition,
            boolean recursive,
            List<Statement> body,
            List<Statement> otherwise)
            implements Statement {}

    /** {@code {% set target = value %}}. */
    record Assign(int line, Target target, Expression value) implements Statement {}

    /** {@code {% set target %}...{% endset %}}; the value is {@link Expression.BlockText} with filters around it. */
    record AssignBlock(int line, Target target, Expression value, List<Statement> body) implements Statement {}

    /** {@code {% filter f %}...{% endfilter %}}, and any block with a scope of its own. */
    record FilterBlock(int line, Expression value, List<Statement> body) implements Statement {}

    /** {@code {% with a = 1 %}...{% endwith %}}. */
    record With(int line, List<Target> targets, List<Expression> values, List<Statement> body) implements Statement {}

    /** {@code {% macro name(parameters) %}}. */
    record DefineMacro(String name, MacroBody macro) implements Statement {}

    /** {@code {% call(parameters) f() %}...{% endcall %}}. */
    record CallBlock(int line, Expression.Call call, MacroBody caller) implements Statement {}

    /** {@code {% break %}} and {@code {% continue %}}. */
    record Jump(boolean breaks) implements Statement {}

    /**
     * Parameters and body of a macro; defaults belong to the last parameters.
     *
     * @param readsVarargs whether the body reads the positional arguments that no parameter takes
     * @param readsKwargs likewise for named ones
     */
    record MacroBody(
            List<String> parameters,
            List<Expression> defaults,
            boolean readsVarargs,
            boolean readsKwargs,
            List<Statement> body) {}

    /** What a value may be assigned to. */
    sealed interface Target {
        /** A variable. */
        record Variable(String name) implements Target {}

        /** An attribute of a namespace. */
        record NamespaceAttribute(String namespace, String attribute) implements Target {}

        /** Several targets that a sequence is spread over. */
        record Several(List<Target> targets) implements Target {}
    }
}
