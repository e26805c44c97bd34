package io.millrace.grammar;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads grammars in the EBNF that llama.cpp and other servers take:
 *
 * <pre>
 * root ::= "yes" | "no" ws number{1,3}   # the whole text
 * number ::= [0-9]+ ("." [0-9]*)?
 * ws ::= [ \t\n]*
 * </pre>
 *
 * A rule goes on until the next name that is followed by {@code ::=}. The text is what {@code root} matches.
 */
public final class EbnfParser {
    private static final String ROOT = "root";

    private final SourceText source;
    private final int maxGroups;
    private int groups;

    private EbnfParser(String text, GrammarLimits limits) {
        this.source = new SourceText("grammar", text, limits);
        this.maxGroups = limits.maxDepth() / 4;
    }

    /** Returns the grammar that a text writes down, within the usual limits. */
    public static GrammarSource parse(String text) {
        return parse(text, GrammarLimits.DEFAULT);
    }

    /**
     * Returns the grammar that a text writes down.
     *
     * @throws ServingException {@code INVALID_REQUEST} if it is malformed or has no rule named root; the message says
     *     where
     */
    public static GrammarSource parse(String text, GrammarLimits limits) {
        return new EbnfParser(text, limits).grammar();
    }

    private GrammarSource grammar() {
        Map<String, Expr> rules = new LinkedHashMap<>();
        skipSpace();
        while (source.peek() != SourceText.END) {
            String name = name();
            skipSpace();
            if (name.isEmpty() || !source.takeIf("::=")) {
                throw source.error("a rule is to be written 'name ::= ...'");
            }
            if (rules.containsKey(name)) {
                throw source.error("there are two rules named " + name);
            }
            skipSpace();
            rules.put(name, alternatives());
        }
        if (!rules.containsKey(ROOT)) {
            throw new ServingException(ErrorCode.INVALID_REQUEST, "the grammar has no rule named " + ROOT);
        }
        return new GrammarSource(ROOT, rules);
    }

    private Expr alternatives() {
        if (++groups > maxGroups) {
            throw source.error("groups are nested deeper than " + maxGroups);
        }
        List<Expr> branches = new ArrayList<>();
        do {
            skipSpace();
            branches.add(sequence());
        } while (source.takeIf('|'));
        groups--;
        return branches.size() == 1 ? branches.get(0) : new Expr.Choice(branches);
    }

    private Expr sequence() {
        List<Expr> parts = new ArrayList<>();
        while (true) {
            int next = source.peek();
            if (next == SourceText.END || next == '|' || next == ')' || atRule()) {
                break;
            }
            parts.add(repeated(item()));
            skipSpace();
        }
        return parts.size() == 1 ? parts.get(0) : new Expr.Sequence(parts);
    }

    /** Whether another rule begins here. */
    private boolean atRule() {
        int before = source.position();
        String name = name();
        boolean rule = false;
        if (!name.isEmpty()) {
            skipSpace();
            rule = source.takeIf("::=");
        }
        source.back(before);
        return rule;
    }

    private Expr item() {
        String name = name();
        if (!name.isEmpty()) {
            return Expr.rule(name);
        }
        if (source.takeIf('"')) {
            StringBuilder text = new StringBuilder();
            while (!source.takeIf('"')) {
                text.appendCodePoint(character());
            }
            return Expr.literal(text.toString());
        } else if (source.takeIf('[')) {
            return new Expr.CharClass(bracket());
        } else if (source.takeIf('.')) {
            return new Expr.CharClass(CodePointSet.ALL);
        } else if (source.takeIf('(')) {
            if (source.peek() == '=') {
                throw source.error("looking ahead is not");
            }
            Expr group = alternatives();
            source.expect(')');
            return group;
        }
        throw source.error("'" + Character.toString(source.peek()) + "' begins nothing");
    }

    private Expr repeated(Expr item) {
        Expr repeated = item;
        for (int count = 0; count <= maxGroups; count++) {
            int before = source.position();
            skipSpace();
            if (source.takeIf('*')) {
                repeated = Expr.many(repeated);
            } else if (source.takeIf('+')) {
                repeated = Expr.some(repeated);
            } else if (source.takeIf('?')) {
                repeated = Expr.optional(repeated);
            } else if (source.takeIf('{')) {
                Expr counted = source.takeCounts(repeated);
                if (counted == null) {
                    throw source.error("a repetition is to be written {n}, {n,} or {n,m}");
                }
                repeated = counted;
            } else {
                source.back(before);
                return repeated;
            }
        }
        throw source.error("repetitions are nested deeper than " + maxGroups);
    }

    private CodePointSet bracket() {
        boolean negated = source.takeIf('^');
        List<CodePointRange> ranges = new ArrayList<>();
        while (!source.takeIf(']')) {
            int first = character();
            int last = first;
            if (source.peek() == '-' && source.peek(1) != ']') {
                source.take();
                last = character();
            }
            if (last < first) {
                throw source.error("a range of characters has its ends in the wrong order");
            }
            ranges.add(new CodePointRange(first, last));
        }
        CodePointSet set = new CodePointSet(ranges);
        return negated ? set.complement() : set;
    }

    private int character() {
        int codePoint = source.take();
        if (codePoint != '\\') {
            return codePoint;
        }
        int letter = source.take();
        return switch (letter) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'b' -> '\b';
            case 'f' -> '\f';
            case '0' -> 0;
            case 'x' -> source.takeHex(2);
            case 'u' -> source.takeHex(4);
            case 'U' -> {
                int value = source.takeHex(8);
                if (value < 0 || value > Character.MAX_CODE_POINT) {
                    throw source.error("there is no such code point");
                }
                yield value;
            }
            default -> {
                if (Character.isLetterOrDigit(letter)) {
                    throw source.error("the escape \\" + Character.toString(letter) + " is not");
                }
                yield letter;
            }
        };
    }

    private String name() {
        StringBuilder name = new StringBuilder();
        while (isOfName(source.peek())) {
            name.appendCodePoint(source.take());
        }
        return name.toString();
    }

    private static boolean isOfName(int codePoint) {
        return codePoint >= 'a' && codePoint <= 'z'
                || codePoint >= 'A' && codePoint <= 'Z'
                || codePoint >= '0' && codePoint <= '9'
                || codePoint == '_'
                || codePoint == '-';
    }

    private void skipSpace() {
        while (true) {
            int next = source.peek();
            if (next == '#') {
                while (source.peek() != '\n' && source.peek() != SourceText.END) {
                    source.take();
                }
            } else if (next == ' ' || next == '\t' || next == '\n' || next == '\r') {
                source.take();
            } else {
                return;
            }
        }
    }
}
