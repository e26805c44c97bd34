package io.millrace.grammar;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads regular expressions as ECMA-262 writes them, as far as they are regular: alternatives, groups (also named
 * ones), repetitions (lazy ones match the same texts), classes, {@code \d \w \s}, properties of code points, and
 * anchors at the beginning and end of alternatives. References to groups, looking around, boundaries of words and
 * flags are refused.
 */
public final class RegexParser {
    /** Most branches that anchors inside of groups may multiply to. */
    private static final int MAX_BRANCHES = 100;

    private static final Expr ANY_TEXT = Expr.many(new Expr.CharClass(CodePointSet.ALL));

    /** What of a text a pattern is to match. */
    public enum Extent {
        /** Anything in it, as {@code pattern} of JSON Schema does, unless it is anchored. */
        PART,
        /** All of it, as if it were anchored. */
        WHOLE
    }

    /** One alternative, and whether it holds only at the beginning, and the end, of the text. */
    private record Branch(boolean atStart, Expr expr, boolean atEnd) {
        boolean anchored() {
            return atStart || atEnd;
        }
    }

    private final SourceText source;
    private final RegexClasses classes;
    private final int maxGroups;
    private int groups;

    private RegexParser(String pattern, GrammarLimits limits) {
        this.source = new SourceText("regular expression", pattern, limits);
        this.classes = new RegexClasses(source);
        this.maxGroups = limits.maxDepth() / 4;
    }

    /** Returns the expression of the texts that a pattern matches as a whole, within the usual limits. */
    public static Expr parse(String pattern) {
        return parse(pattern, Extent.WHOLE, GrammarLimits.DEFAULT);
    }

    /**
     * Returns the expression of the texts that a pattern matches. It uses no rules.
     *
     * @throws io.millrace.kv.ServingException {@code INVALID_REQUEST} if the pattern is malformed or not supported; the
     *     message says where
     */
    public static Expr parse(String pattern, Extent extent, GrammarLimits limits) {
        RegexParser parser = new RegexParser(pattern, limits);
        List<Branch> branches = parser.alternatives();
        if (parser.source.peek() != SourceText.END) {
            throw parser.source.error("a ')' has no '('");
        }
        List<Expr> exprs = new ArrayList<>();
        for (Branch branch : branches) {
            if (extent == Extent.WHOLE) {
                exprs.add(branch.expr());
            } else {
                exprs.add(Expr.sequence(
                        branch.atStart() ? Expr.EMPTY : ANY_TEXT,
                        branch.expr(),
                        branch.atEnd() ? Expr.EMPTY : ANY_TEXT));
            }
        }
        return one(exprs);
    }

    private List<Branch> alternatives() {
        if (++groups > maxGroups) {
            throw source.error("groups are nested deeper than " + maxGroups);
        }
        List<Branch> branches = new ArrayList<>();
        do {
            branches.addAll(sequence());
        } while (source.takeIf('|'));
        groups--;
        return branches;
    }

    /** Returns one alternative; several where groups at its ends have anchors in some of theirs. */
    private List<Branch> sequence() {
        boolean atStart = false;
        while (source.takeIf('^')) {
            atStart = true;
        }
        List<Branch> heads = List.of(new Branch(atStart, Expr.EMPTY, false));
        List<Expr> terms = new ArrayList<>();
        boolean atEnd = false;
        while (source.peek() != SourceText.END && source.peek() != '|' && source.peek() != ')') {
            if (source.takeIf('$')) {
                atEnd = true;
                continue;
            }
            if (atEnd || heads.stream().anyMatch(Branch::atEnd)) {
                throw source.error("'$' is supported only at the end of an alternative");
            }
            if (source.takeIf('^')) {
                throw source.error("'^' is supported only at the beginning of an alternative");
            }
            if (!source.takeIf('(')) {
                terms.add(quantified(atom()));
                continue;
            }
            List<Branch> group = group();
            if (group.stream().noneMatch(Branch::anchored)) {
                terms.add(quantified(one(group.stream().map(Branch::expr).toList())));
                continue;
            }
            boolean first =
                    terms.isEmpty() && heads.size() == 1 && heads.get(0).expr().equals(Expr.EMPTY);
            if (!first && group.stream().anyMatch(Branch::atStart)) {
                throw source.error("'^' is supported only at the beginning of an alternative");
            }
            refuseQuantifier("a group with anchors in it cannot be repeated");
            heads = multiplied(heads, terms, group);
            terms.clear();
        }
        boolean end = atEnd;
        Expr tail = new Expr.Sequence(terms);
        return heads.stream()
                .map(head -> new Branch(head.atStart(), joined(head.expr(), tail), head.atEnd() || end))
                .toList();
    }

    private List<Branch> multiplied(List<Branch> heads, List<Expr> terms, List<Branch> group) {
        if (heads.size() * group.size() > MAX_BRANCHES) {
            throw source.error("anchors are in more than " + MAX_BRANCHES + " branches");
        }
        List<Branch> all = new ArrayList<>();
        for (Branch head : heads) {
            for (Branch branch : group) {
                Expr before = joined(head.expr(), new Expr.Sequence(terms));
                all.add(new Branch(head.atStart() || branch.atStart(), joined(before, branch.expr()), branch.atEnd()));
            }
        }
        return all;
    }

    /** Reads what follows the parenthesis of a group. */
    private List<Branch> group() {
        if (source.takeIf('?')) {
            boolean named = source.takeIf("P<")
                    || source.peek() == '<' && source.peek(1) != '=' && source.peek(1) != '!' && source.takeIf('<');
            if (named) {
                while (source.peek() != '>' && source.peek() != SourceText.END) {
                    source.take();
                }
                source.expect('>');
            } else if (!source.takeIf(':')) {
                throw source.error("of groups that begin with '(?', only '(?:' and '(?<name>' are");
            }
        }
        List<Branch> branches = alternatives();
        source.expect(')');
        return branches;
    }

    private Expr atom() {
        int codePoint = source.take();
        return switch (codePoint) {
            case '.' -> new Expr.CharClass(RegexClasses.NOT_LINE_END);
            case '[' -> new Expr.CharClass(classes.bracket());
            case '\\' -> new Expr.CharClass(classes.escape(false));
            case '*', '+', '?' -> throw source.error("there is nothing to repeat");
            default -> Expr.literal(Character.toString(codePoint));
        };
    }

    private Expr quantified(Expr body) {
        Expr repeated = repeated(body);
        if (repeated == null) {
            return body;
        }
        source.takeIf('?');
        refuseQuantifier("a repetition cannot be repeated, nor be possessive");
        return repeated;
    }

    private @Nullable Expr repeated(Expr body) {
        if (source.takeIf('*')) {
            return Expr.many(body);
        } else if (source.takeIf('+')) {
            return Expr.some(body);
        } else if (source.takeIf('?')) {
            return Expr.optional(body);
        } else if (source.peek() == '{' && source.peek(1) != ',') {
            int before = source.position();
            source.take();
            Expr repeated = source.takeCounts(body);
            if (repeated == null) {
                // A brace that begins no numbers is a brace.
                source.back(before);
            }
            return repeated;
        }
        return null;
    }

    private void refuseQuantifier(String why) {
        int before = source.position();
        if (repeated(Expr.EMPTY) != null) {
            source.back(before);
            throw source.error(why);
        }
    }

    private static Expr joined(Expr first, Expr second) {
        if (second instanceof Expr.Sequence sequence && sequence.parts().isEmpty()) {
            return first;
        }
        return first.equals(Expr.EMPTY) ? second : Expr.sequence(first, second);
    }

    private static Expr one(List<Expr> exprs) {
        return exprs.size() == 1 ? exprs.get(0) : new Expr.Choice(exprs);
    }
}
