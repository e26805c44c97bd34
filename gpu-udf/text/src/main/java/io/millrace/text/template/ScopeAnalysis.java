package io.millrace.text.template;

import io.millrace.text.template.Statement.Target;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Finds the names that a scope sets before it reads them. Such a name is the scope's own from its beginning: blocks in
 * the scope see it as undefined until it is set, even where a variable of that name was given to the template.
 */
final class ScopeAnalysis {
    private final Map<List<Statement>, Set<String>> hidden = new IdentityHashMap<>();

    private ScopeAnalysis() {}

    /** Returns for the body of each scope the names that are undefined at its beginning. */
    static Map<List<Statement>, Set<String>> of(List<Statement> template) {
        ScopeAnalysis analysis = new ScopeAnalysis();
        analysis.scope(template, Set.of(), Set.of());
        return analysis.hidden;
    }

    private void scope(List<Statement> body, Set<String> parameters, Set<String> outer) {
        Names names = new Names(parameters, outer);
        names.visit(body, false);
        Set<String> own = new HashSet<>();
        names.found.forEach((name, isHidden) -> {
            if (isHidden) {
                own.add(name);
            }
        });
        if (!own.isEmpty()) {
            hidden.put(body, own);
        }
        Set<String> known = new HashSet<>(outer);
        known.addAll(names.found.keySet());
        inner(body, known);
    }

    /** Goes into the scopes inside statements. */
    private void inner(List<Statement> statements, Set<String> known) {
        for (Statement statement : statements) {
            if (statement instanceof Statement.If choice) {
                choice.branches().forEach(branch -> inner(branch.body(), known));
                inner(choice.otherwise(), known);
            } else if (statement instanceof Statement.For loop) {
                Set<String> parameters = new HashSet<>(Set.of("loop"));
                targets(loop.target(), parameters::add);
                scope(loop.body(), parameters, known);
                scope(loop.otherwise(), Set.of(), known);
            } else if (statement instanceof Statement.AssignBlock assign) {
                scope(assign.body(), Set.of(), known);
            } else if (statement instanceof Statement.FilterBlock filter) {
                scope(filter.body(), Set.of(), known);
            } else if (statement instanceof Statement.With with) {
                Set<String> parameters = new HashSet<>();
                with.targets().forEach(target -> targets(target, parameters::add));
                scope(with.body(), parameters, known);
            } else if (statement instanceof Statement.DefineMacro define) {
                macro(define.macro(), known);
            } else if (statement instanceof Statement.CallBlock call) {
                macro(call.caller(), known);
            }
        }
    }

    private void macro(Statement.MacroBody macro, Set<String> known) {
        Set<String> parameters = new HashSet<>(Set.of("caller", "varargs", "kwargs"));
        parameters.addAll(macro.parameters());
        macro.defaults().forEach(value -> ExpressionNames.visit(value, parameters::add));
        scope(macro.body(), parameters, known);
    }

    private static void targets(Target target, Consumer<String> names) {
        if (target instanceof Target.Variable variable) {
            names.accept(variable.name());
        } else if (target instanceof Target.Several several) {
            several.targets().forEach(each -> targets(each, names));
        }
    }

    /** The names of one scope, in the order in which they are read and set there. */
    private static final class Names {
        /** Whether a name is hidden, for each that is read or set. */
        private final Map<String, Boolean> found = new LinkedHashMap<>();

        private final Set<String> outer;

        Names(Set<String> parameters, Set<String> outer) {
            this.outer = outer;
            parameters.forEach(name -> found.put(name, false));
        }

        private void read(Expression expression) {
            ExpressionNames.visit(expression, name -> {
                if (!outer.contains(name)) {
                    found.putIfAbsent(name, false);
                }
            });
        }

        private void set(Target target, boolean inBranch) {
            if (target instanceof Target.NamespaceAttribute attribute) {
                read(new Expression.Name(attribute.namespace()));
            }
            targets(target, name -> found.putIfAbsent(name, !inBranch && !outer.contains(name)));
        }

        void visit(List<Statement> statements, boolean inBranch) {
            for (Statement statement : statements) {
                visit(statement, inBranch);
            }
        }

        private void visit(Statement statement, boolean inBranch) {
            if (statement instanceof Statement.Print print) {
                read(print.value());
            } else if (statement instanceof Statement.If choice) {
                for (Statement.Branch branch : choice.branches()) {
                    read(branch.test());
                    visit(branch.body(), true);
                }
                visit(choice.otherwise(), true);
            } else if (statement instanceof Statement.For loop) {
                read(loop.iterable());
            } else if (statement instanceof Statement.Assign assign) {
                read(assign.value());
                set(assign.target(), inBranch);
            } else if (statement instanceof Statement.AssignBlock assign) {
                set(assign.target(), inBranch);
            } else if (statement instanceof Statement.FilterBlock filter) {
                read(filter.value());
            } else if (statement instanceof Statement.With with) {
                with.values().forEach(this::read);
            } else if (statement instanceof Statement.DefineMacro define) {
                set(new Target.Variable(define.name()), inBranch);
            } else if (statement instanceof Statement.CallBlock call) {
                read(call.call());
            }
        }
    }
}
