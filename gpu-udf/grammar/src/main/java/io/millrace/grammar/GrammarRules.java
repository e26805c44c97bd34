package io.millrace.grammar;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A grammar's rules, numbered, and which of them are built where they are used: small ones and those used once, unless
 * they are recursive. Only the others cost a place on a text's stack.
 */
final class GrammarRules {
    /** Names of rules that stand for automata; no front end writes such a name. */
    private static final String AUTOMATON_PREFIX = "\u0000";

    /** A rule of at most this many bytes and ranges is built wherever it is used. */
    private static final int TINY_WEIGHT = 8;

    /** A rule of at most this many is too, if all its uses do not come to more than {@link #COPIES_WEIGHT}. */
    private static final int SMALL_WEIGHT = 80;

    private static final int COPIES_WEIGHT = 4000;

    /** Fewest code points of a class, and repetitions of it, that make masks costly. */
    private static final int WIDE_CLASS = 64;

    private static final int LONG_REPEAT = 8;

    private static final int HUGE = 1 << 28;

    final List<String> names = new ArrayList<>();
    final List<Expr> exprs = new ArrayList<>();
    private final Map<String, Integer> indexes = new HashMap<>();
    private final Map<Dfa, Integer> automata = new HashMap<>();

    /** Whether a rule is built where it is used. */
    boolean[] inlined = new boolean[0];

    private final GrammarLimits limits;
    private final List<int[]> uses = new ArrayList<>();
    private final IntList weights = new IntList();
    private final IntList depths = new IntList();
    private int exprCount;

    /** Rules with a wide class, with one that is repeated, and with another rule that is repeated. */
    private final BitSet wideRules = new BitSet();

    private final BitSet costlyRules = new BitSet();
    private final BitSet loopingRules = new BitSet();

    GrammarRules(GrammarSource source, GrammarLimits limits) {
        this.limits = limits;
        if (source.rules().size() > limits.maxRules()) {
            throw GrammarLimits.exceeded("has " + source.rules().size() + " rules", limits.maxRules());
        }
        index(source.start(), source);
        // Rules are found by their uses, so that what is not used costs nothing and is not refused.
        for (int rule = 0; rule < names.size(); rule++) {
            survey(exprs.get(rule), source);
        }
        chooseInlined();
    }

    /** Returns the number of a rule that is used. */
    int index(String name) {
        return requireNonNull(indexes.get(name), name);
    }

    /** Returns the number of the rule that stands for an automaton that is used. */
    int index(Dfa dfa) {
        return requireNonNull(automata.get(dfa), "automaton");
    }

    private int index(String name, GrammarSource source) {
        Integer known = indexes.get(name);
        if (known != null) {
            return known;
        }
        Expr expr = source.rules().get(name);
        if (expr == null) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, "the grammar has no rule named " + name);
        }
        return add(name, expr);
    }

    private int add(String name, Expr expr) {
        indexes.put(name, names.size());
        names.add(name);
        exprs.add(expr);
        return names.size() - 1;
    }

    private record Visit(Expr expr, int depth, long copies, boolean looped) {}

    /** Looks at one rule: which others it uses, how large and how deep it is. */
    private void survey(Expr root, GrammarSource source) {
        Deque<Visit> pending = new ArrayDeque<>();
        pending.push(new Visit(root, 0, 1, false));
        IntList used = new IntList();
        // Not nothing, so that rules of nothing but other rules become heavy too.
        long weight = 1;
        int depth = 0;
        boolean wide = false;
        boolean costly = false;
        boolean loopsRules = false;
        while (!pending.isEmpty()) {
            Visit visit = pending.pop();
            if (++exprCount > limits.maxExprs()) {
                throw GrammarLimits.exceeded("has too many expressions", limits.maxExprs());
            }
            if (visit.depth() > limits.maxDepth()) {
                throw GrammarLimits.exceeded("is nested too deeply", limits.maxDepth());
            }
            depth = Math.max(depth, visit.depth());
            int inner = visit.depth() + 1;
            if (visit.expr() instanceof Expr.Literal literal) {
                weight += visit.copies() * literal.text().length();
            } else if (visit.expr() instanceof Expr.CharClass charClass) {
                weight += visit.copies() * (1 + charClass.set().ranges().size());
                wide |= size(charClass.set()) >= WIDE_CLASS;
                costly |= visit.looped() && size(charClass.set()) >= WIDE_CLASS;
            } else if (visit.expr() instanceof Expr.Sequence sequence) {
                sequence.parts().forEach(part -> pending.push(new Visit(part, inner, visit.copies(), visit.looped())));
            } else if (visit.expr() instanceof Expr.Choice choice) {
                choice.branches()
                        .forEach(branch -> pending.push(new Visit(branch, inner, visit.copies(), visit.looped())));
            } else if (visit.expr() instanceof Expr.Repeat repeat) {
                int times = repeat.max() == Expr.Repeat.UNBOUNDED ? repeat.min() : repeat.max();
                pending.push(new Visit(
                        repeat.body(),
                        inner,
                        Math.min(HUGE, visit.copies() * Math.max(1, times)),
                        visit.looped() || repeat.max() >= LONG_REPEAT));
            } else if (visit.expr() instanceof Expr.Rule rule) {
                int index = index(rule.name(), source);
                used.add(index);
                loopsRules |= visit.looped();
                if (visit.copies() > 1) {
                    used.add(index);
                }
            } else if (visit.expr() instanceof Expr.Automaton automaton && automata.get(automaton.dfa()) == null) {
                // A rule of its own: its states then are the automaton's, and share masks with other grammars.
                automata.put(automaton.dfa(), add(AUTOMATON_PREFIX + automata.size(), automaton));
            }
        }
        uses.add(used.toArray());
        weights.add((int) Math.min(HUGE, weight));
        depths.add(depth);
        wideRules.set(weights.size() - 1, wide);
        costlyRules.set(weights.size() - 1, costly);
        loopingRules.set(weights.size() - 1, loopsRules);
    }

    private static long size(CodePointSet set) {
        return set.ranges().stream()
                .mapToLong(range -> range.last() - range.first() + 1L)
                .sum();
    }

    private void chooseInlined() {
        int count = names.size();
        inlined = new boolean[count];
        int[] useCounts = new int[count];
        for (int[] used : uses) {
            for (int rule : used) {
                useCounts[rule]++;
            }
        }
        useCounts[0]++;
        boolean[] recursive = Components.cyclic(count, uses);
        for (int rule : Components.calledFirst(count, uses)) {
            boolean automaton = names.get(rule).startsWith(AUTOMATON_PREFIX);
            long weight = weights.get(rule);
            int depth = depths.get(rule);
            boolean regular = !automaton;
            for (int used : uses.get(rule)) {
                regular &= inlined[used];
                weight += inlined[used] ? weights.get(used) : 2;
                if (inlined[used]) {
                    costlyRules.set(
                            rule,
                            costlyRules.get(rule)
                                    || costlyRules.get(used)
                                    || wideRules.get(used) && loopingRules.get(rule));
                    wideRules.set(rule, wideRules.get(rule) || wideRules.get(used));
                    depth = Math.max(depth, depths.get(rule) + 2 + depths.get(used));
                }
            }
            weights.set(rule, (int) Math.min(HUGE, weight));
            depths.set(rule, depth);
            boolean worthIt = useCounts[rule] <= 1
                    || weight <= TINY_WEIGHT
                    || weight <= SMALL_WEIGHT && weight * useCounts[rule] <= COPIES_WEIGHT;
            // Half of the depth for the rule, the other half for where it is used.
            // A regular rule with costly masks is better an automaton of its own: those are shared.
            worthIt &= !(regular && costlyRules.get(rule));
            inlined[rule] = rule != 0 && !recursive[rule] && !automaton && worthIt && depth <= limits.maxDepth() / 2;
        }
    }
}
