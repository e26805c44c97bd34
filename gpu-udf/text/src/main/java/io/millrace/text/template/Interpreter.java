package io.millrace.text.template;

import io.millrace.text.template.Statement.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Runs the statements of a template. */
final class Interpreter {
    /** How a statement ended. */
    private enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    private final RenderContext context;
    private final Budget budget;
    private final Evaluator evaluator;

    /** Names that are undefined at the beginning of a scope, by the scope's body. */
    private final Map<List<Statement>, Set<String>> hidden;

    /** Where text is written: the rendering's own, or that of the macro or block that is running. */
    private StringBuilder out = new StringBuilder();

    /** Line of the statement that is running, for errors. */
    private int line;

    Interpreter(RenderContext context, Map<List<Statement>, Set<String>> hidden) {
        this.context = context;
        this.hidden = hidden;
        this.budget = context.budget();
        this.evaluator = new Evaluator(context);
    }

    /** Renders a template and returns its text. */
    String render(List<Statement> statements, Scope scope) {
        run(statements, scope(statements, scope));
        return out.toString();
    }

    /** Returns a new scope for a body. */
    Scope scope(List<Statement> body, Scope outer) {
        Scope scope = outer.inner();
        hidden.getOrDefault(body, Set.of()).forEach(name -> scope.set(name, Undefined.name(name)));
        return scope;
    }

    /** Returns the line of the statement that ran last. */
    int line() {
        return line;
    }

    Object evaluate(Expression expression, Scope scope) {
        return evaluator.evaluate(expression, scope);
    }

    /** Runs statements and returns their text instead of writing it. */
    String block(List<Statement> statements, Scope scope) {
        StringBuilder outer = out;
        out = new StringBuilder();
        run(statements, scope);
        String text = out.toString();
        out = outer;
        return text;
    }

    private Flow run(List<Statement> statements, Scope scope) {
        budget.enter();
        Flow flow = Flow.NEXT;
        for (int i = 0; flow == Flow.NEXT && i < statements.size(); i++) {
            flow = run(statements.get(i), scope);
        }
        budget.leave();
        return flow;
    }

    private Flow run(Statement statement, Scope scope) {
        if (statement instanceof Statement.Text text) {
            write(text.text());
        } else if (statement instanceof Statement.Print print) {
            line = print.line();
            write(context.str(evaluate(print.value(), scope)));
        } else if (statement instanceof Statement.If choice) {
            return choose(choice, scope);
        } else if (statement instanceof Statement.For loop) {
            runLoop(loop, scope);
        } else if (statement instanceof Statement.Assign assign) {
            line = assign.line();
            assign(assign.target(), evaluate(assign.value(), scope), scope);
        } else if (statement instanceof Statement.Jump jump) {
            return jump.breaks() ? Flow.BREAK : Flow.CONTINUE;
        } else {
            runBlock(statement, scope);
        }
        return Flow.NEXT;
    }

    /** Runs a statement that has a block with a scope of its own. */
    private void runBlock(Statement statement, Scope scope) {
        if (statement instanceof Statement.AssignBlock assign) {
            String text = block(assign.body(), scope(assign.body(), scope));
            line = assign.line();
            assign(assign.target(), filtered(assign.value(), text, scope), scope);
        } else if (statement instanceof Statement.FilterBlock filter) {
            String text = block(filter.body(), scope(filter.body(), scope));
            line = filter.line();
            write(context.str(filtered(filter.value(), text, scope)));
        } else if (statement instanceof Statement.With with) {
            line = with.line();
            Scope inner = scope(with.body(), scope);
            for (int i = 0; i < with.targets().size(); i++) {
                assign(with.targets().get(i), evaluate(with.values().get(i), scope), inner);
            }
            run(with.body(), inner);
        } else if (statement instanceof Statement.DefineMacro define) {
            scope.set(define.name(), new Macro(define.name(), define.macro(), scope, this));
        } else if (statement instanceof Statement.CallBlock call) {
            line = call.line();
            Macro caller = new Macro("caller", call.caller(), scope, this);
            write(context.str(evaluator.callWith(call.call(), caller, scope)));
        }
    }

    private Object filtered(Expression value, String text, Scope scope) {
        Scope inner = scope.inner();
        inner.set(Evaluator.BLOCK_TEXT, text);
        return evaluate(value, inner);
    }

    private Flow choose(Statement.If choice, Scope scope) {
        for (Statement.Branch branch : choice.branches()) {
            line = branch.line();
            if (Values.isTrue(evaluate(branch.test(), scope))) {
                return run(branch.body(), scope);
            }
        }
        return run(choice.otherwise(), scope);
    }

    private void runLoop(Statement.For loop, Scope scope) {
        line = loop.line();
        runLoop(loop, evaluate(loop.iterable(), scope), scope, 0);
    }

    private void runLoop(Statement.For loop, Object iterable, Scope scope, int depth) {
        List<Object> items = Values.elements(iterable, budget);
        if (loop.condition() != null) {
            items = filterItems(loop, loop.condition(), items, scope);
        }
        LoopContext variable = new LoopContext(items, depth, loop.recursive() ? recursion(loop, scope, depth) : null);
        boolean completed = false;
        for (int i = 0; i < items.size(); i++) {
            budget.charge(1);
            variable.moveTo(i);
            Scope inner = scope(loop.body(), scope);
            assign(loop.target(), items.get(i), inner);
            inner.set("loop", variable);
            Flow flow = run(loop.body(), inner);
            completed |= flow == Flow.NEXT;
            if (flow == Flow.BREAK) {
                break;
            }
        }
        // As in the reference, an iteration that is left early does not count as one.
        if (!completed) {
            run(loop.otherwise(), scope(loop.otherwise(), scope));
        }
    }

    private List<Object> filterItems(Statement.For loop, Expression condition, List<Object> items, Scope scope) {
        List<Object> kept = new ArrayList<>();
        for (Object item : items) {
            Scope inner = scope.inner();
            assign(loop.target(), item, inner);
            if (Values.isTrue(evaluate(condition, inner))) {
                kept.add(item);
            }
        }
        return kept;
    }

    private Invocable recursion(Statement.For loop, Scope scope, int depth) {
        return (ignored, arguments) -> {
            Object iterable = arguments.bind("loop", 1, "iterable").get(0);
            StringBuilder outer = out;
            out = new StringBuilder();
            runLoop(loop, iterable, scope, depth + 1);
            String text = out.toString();
            out = outer;
            return text;
        };
    }

    private void assign(Target target, Object value, Scope scope) {
        if (target instanceof Target.Variable variable) {
            scope.set(variable.name(), value);
        } else if (target instanceof Target.NamespaceAttribute attribute) {
            if (!(scope.get(attribute.namespace()) instanceof Namespace namespace)) {
                throw TemplateException.of("cannot assign attribute on non-namespace object");
            }
            namespace.set(attribute.attribute(), value);
        } else if (target instanceof Target.Several several) {
            List<Object> items = Values.elements(value, budget);
            List<Target> targets = several.targets();
            if (items.size() != targets.size()) {
                throw TemplateException.of("expected " + targets.size() + " values to unpack, got " + items.size());
            }
            for (int i = 0; i < targets.size(); i++) {
                assign(targets.get(i), items.get(i), scope);
            }
        }
    }

    private void write(String text) {
        budget.grow(out.length(), text.length());
        out.append(text);
    }

    /** Returns the scope that holds what every template can call. */
    static Scope globals(Map<String, Object> variables) {
        Scope scope = Scope.global(Globals.ALL).inner();
        variables.forEach(scope::set);
        return scope;
    }
}
