package io.millrace.grammar.json;

import io.millrace.grammar.Expr;
import io.millrace.grammar.Expr.Automaton;
import io.millrace.grammar.Expr.CharClass;
import io.millrace.grammar.Expr.Choice;
import io.millrace.grammar.Expr.Literal;
import io.millrace.grammar.Expr.Repeat;
import io.millrace.grammar.Expr.Rule;
import io.millrace.grammar.Expr.Sequence;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Leaves out what no finite text matches, for example an object whose required property is an object that needs it
 * again; without this a text could begin that has no end.
 */
final class Productive {
    private final Map<String, Expr> rules;
    private final Set<String> productive = new HashSet<>();

    private Productive(Map<String, Expr> rules) {
        this.rules = rules;
    }

    /** Returns the rules that a start reaches, without what matches nothing; no rules where the start does. */
    static Map<String, Expr> of(String start, Map<String, Expr> rules) {
        Productive self = new Productive(rules);
        self.find();
        Map<String, Expr> kept = new HashMap<>();
        Deque<String> open = new ArrayDeque<>();
        if (self.productive.contains(start)) {
            open.add(start);
        }
        while (!open.isEmpty()) {
            String name = open.remove();
            Expr expr = kept.containsKey(name) ? null : self.pruned(self.rule(name));
            if (expr != null) {
                kept.put(name, expr);
                references(expr, open);
            }
        }
        return kept;
    }

    private Expr rule(String name) {
        Expr expr = rules.get(name);
        if (expr == null) {
            throw new IllegalStateException("no rule " + name);
        }
        return expr;
    }

    /** Finds the rules that match some text: those that refer to a rule are looked at again once it is found. */
    private void find() {
        Map<String, List<String>> users = new HashMap<>();
        rules.forEach((name, expr) -> {
            List<String> used = new ArrayList<>();
            references(expr, used);
            used.forEach(other ->
                    users.computeIfAbsent(other, key -> new ArrayList<>()).add(name));
        });
        Deque<String> open = new ArrayDeque<>(rules.keySet());
        while (!open.isEmpty()) {
            String name = open.remove();
            if (!productive.contains(name) && isProductive(rule(name))) {
                productive.add(name);
                open.addAll(users.getOrDefault(name, List.of()));
            }
        }
    }

    private boolean isProductive(Expr expr) {
        if (expr instanceof CharClass characters) {
            return !characters.set().isEmpty();
        } else if (expr instanceof Sequence sequence) {
            return sequence.parts().stream().allMatch(this::isProductive);
        } else if (expr instanceof Choice choice) {
            return choice.branches().stream().anyMatch(this::isProductive);
        } else if (expr instanceof Repeat repeat) {
            return repeat.min() == 0 || isProductive(repeat.body());
        } else if (expr instanceof Rule rule) {
            return productive.contains(rule.name());
        } else if (expr instanceof Automaton automaton) {
            return !automaton.dfa().isEmpty();
        }
        return expr instanceof Literal;
    }

    /** Returns what is left of an expression, or null if it matches nothing. */
    private @Nullable Expr pruned(Expr expr) {
        if (!isProductive(expr)) {
            return null;
        }
        if (expr instanceof Sequence sequence) {
            return new Sequence(all(sequence.parts()));
        } else if (expr instanceof Choice choice) {
            List<Expr> branches = all(choice.branches());
            return branches.size() == 1 ? branches.get(0) : new Choice(branches);
        } else if (expr instanceof Repeat repeat) {
            Expr body = pruned(repeat.body());
            return body == null ? Expr.EMPTY : new Repeat(body, repeat.min(), repeat.max());
        } else if (expr instanceof Rule rule) {
            return rule(rule.name()) instanceof Literal literal ? literal : Expr.rule(rule.name());
        }
        return expr;
    }

    private List<Expr> all(List<Expr> exprs) {
        List<Expr> kept = new ArrayList<>(exprs.size());
        for (Expr expr : exprs) {
            Expr pruned = pruned(expr);
            if (pruned != null) {
                kept.add(pruned);
            }
        }
        return kept;
    }

    private static void references(Expr expr, Collection<String> names) {
        if (expr instanceof Rule rule) {
            names.add(rule.name());
        } else if (expr instanceof Sequence sequence) {
            sequence.parts().forEach(part -> references(part, names));
        } else if (expr instanceof Choice choice) {
            choice.branches().forEach(branch -> references(branch, names));
        } else if (expr instanceof Repeat repeat) {
            references(repeat.body(), names);
        }
    }
}
