package io.millrace.grammar.json;

import static io.millrace.grammar.Expr.literal;
import static io.millrace.grammar.Expr.many;
import static io.millrace.grammar.Expr.sequence;

import io.millrace.grammar.CodePointSet;
import io.millrace.grammar.Dfa;
import io.millrace.grammar.Expr;
import io.millrace.grammar.Expr.Automaton;
import io.millrace.grammar.Expr.CharClass;
import io.millrace.grammar.Expr.Choice;
import io.millrace.grammar.Expr.Repeat;
import io.millrace.grammar.RegexParser;
import io.millrace.grammar.json.Schema.Text;
import io.millrace.kv.ServingException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The languages of strings and of properties' names. Automata are of the strings' own UTF-8, without quotes and
 * escapes, until they become part of the grammar.
 */
final class StringLanguages {
    /** Most patterns of properties' names that one object may have to tell apart: each doubles the kinds of names. */
    private static final int MAX_NAME_PATTERNS = 5;

    private static final Expr ANY = new CharClass(CodePointSet.ALL);

    private final SchemaLimits limits;
    private final Repeats repeats;
    private final Map<String, Dfa> known = new HashMap<>();
    private final Map<String, Expr> written = new HashMap<>();
    private int states;

    StringLanguages(SchemaLimits limits, Repeats repeats) {
        this.limits = limits;
        this.repeats = repeats;
    }

    /** Returns the strings of a shape, with their quotes. */
    Expr of(Shape shape) {
        int min = shape.minLength();
        int max = shape.maxLength();
        if (min > max) {
            return new Choice(List.of());
        }
        if (!isRegular(shape)) {
            return min == 0 && max == Integer.MAX_VALUE
                    ? Expr.rule(JsonGrammars.STRING)
                    : quoted(repeats.of("json-character", JsonStrings.CHARACTER, min, max));
        }
        String key = key(shape);
        Expr done = written.get(key);
        if (done == null) {
            done = quoted(escaped(language(shape), path(shape)));
            written.put(key, done);
        }
        return done;
    }

    /** Whether no string is of a shape. */
    boolean isEmpty(Shape shape) {
        return shape.minLength() > shape.maxLength()
                || (isRegular(shape) && language(shape).isEmpty());
    }

    /** Whether a string is of a shape. */
    boolean matches(String value, Shape shape) {
        int length = value.codePointCount(0, value.length());
        return length >= shape.minLength()
                && length <= shape.maxLength()
                && shape.formats().stream().allMatch(format -> format(format).matches(value))
                && shape.patterns().stream()
                        .allMatch(pattern -> pattern(pattern).matches(value));
    }

    /** Returns those of some patterns that a name matches. */
    Set<String> matching(String name, Collection<Text> patterns) {
        Set<String> matched = new HashSet<>();
        for (Text pattern : patterns) {
            if (pattern(pattern).matches(name)) {
                matched.add(pattern.value());
            }
        }
        return matched;
    }

    /**
     * Names of properties that are not declared.
     *
     * @param key what they are, with quotes
     * @param matched patterns that all of them match; they match no other
     */
    record Names(Expr key, Set<String> matched) {}

    /**
     * Returns the names that are not declared, by which patterns they match.
     *
     * @param declared the names that are left out
     * @param patterns patterns of names
     * @param path where the patterns are said
     */
    List<Names> undeclared(Set<String> declared, Collection<Text> patterns, String path) {
        if (declared.isEmpty() && patterns.isEmpty()) {
            return List.of(new Names(Expr.rule(JsonGrammars.STRING), Set.of()));
        }
        List<Expr> literals = new ArrayList<>();
        declared.forEach(name -> literals.add(literal(name)));
        Dfa free = at(path, () -> all().minus(Dfa.of(new Choice(literals), limits.automata()), limits.automata()));
        List<Text> ordered = List.copyOf(patterns);
        List<Names> names = new ArrayList<>();
        for (int subset = 0; subset < 1 << ordered.size(); subset++) {
            Dfa dfa = free;
            Set<String> matched = new HashSet<>();
            for (int i = 0; i < ordered.size() && !dfa.isEmpty(); i++) {
                Dfa before = dfa;
                Dfa pattern = pattern(ordered.get(i));
                boolean in = (subset >> i & 1) == 1;
                if (in) {
                    matched.add(ordered.get(i).value());
                }
                dfa = at(
                        ordered.get(i).path(),
                        () -> in
                                ? before.intersect(pattern, limits.automata())
                                : before.minus(pattern, limits.automata()));
            }
            if (!dfa.isEmpty()) {
                names.add(new Names(quoted(escaped(dfa, path)), matched));
            }
        }
        return names;
    }

    /** Refuses more patterns of names than can be told apart. */
    void checkCount(Collection<Text> patterns, String path) {
        if (patterns.size() > MAX_NAME_PATTERNS) {
            throw SchemaErrors.refused(
                    SchemaErrors.member(path, "patternProperties"),
                    "more than " + MAX_NAME_PATTERNS + " patterns for one object");
        }
    }

    private static boolean isRegular(Shape shape) {
        return !shape.patterns().isEmpty() || !shape.formats().isEmpty();
    }

    private static String path(Shape shape) {
        return isRegular(shape)
                ? (shape.patterns().isEmpty() ? shape.formats() : shape.patterns())
                        .get(0)
                        .path()
                : "";
    }

    private static String key(Shape shape) {
        StringBuilder key = new StringBuilder();
        key.append(shape.minLength()).append(' ').append(shape.maxLength());
        shape.formats().forEach(format -> key.append("\u0000f").append(format.value()));
        shape.patterns().forEach(pattern -> key.append("\u0000p").append(pattern.value()));
        return key.toString();
    }

    private Dfa language(Shape shape) {
        String key = key(shape);
        Dfa done = known.get(key);
        if (done != null) {
            return done;
        }
        Dfa dfa = null;
        String path = path(shape);
        for (Text format : shape.formats()) {
            dfa = both(dfa, format(format), format.path());
        }
        for (Text pattern : shape.patterns()) {
            dfa = both(dfa, pattern(pattern), pattern.path());
        }
        dfa = withLength(dfa == null ? all() : dfa, shape.minLength(), shape.maxLength(), path);
        known.put(key, dfa);
        return dfa;
    }

    private Dfa both(@Nullable Dfa left, Dfa right, String path) {
        if (left == null) {
            return right;
        }
        charge((left.stateCount() + right.stateCount()) / 8, path);
        return at(path, () -> left.intersect(right, limits.automata()));
    }

    private Dfa withLength(Dfa dfa, int min, int max, String path) {
        // A finite automaton has no text longer than it has states.
        int most = dfa.isFinite() && dfa.stateCount() <= max ? Integer.MAX_VALUE : max;
        if (min == 0 && most == Integer.MAX_VALUE) {
            return dfa;
        }
        return at(path, () -> dfa.intersect(Dfa.of(new Repeat(ANY, min, most), limits.automata()), limits.automata()));
    }

    private Dfa all() {
        return cached("all", "", () -> many(ANY));
    }

    private Dfa pattern(Text pattern) {
        return cached(
                "p" + pattern.value(),
                pattern.path(),
                () -> RegexParser.parse(pattern.value(), RegexParser.Extent.PART, limits.automata()));
    }

    private Dfa format(Text format) {
        return cached(
                "f" + format.value(),
                format.path(),
                () -> RegexParser.parse(
                        Formats.expression(format.value()), RegexParser.Extent.WHOLE, limits.automata()));
    }

    private Dfa cached(String key, String path, Supplier<Expr> expr) {
        Dfa done = known.get(key);
        if (done == null) {
            done = at(path, () -> Dfa.of(expr.get(), limits.automata()));
            known.put(key, done);
        }
        return done;
    }

    private Expr escaped(Dfa dfa, String path) {
        return new Automaton(at(
                path,
                () -> dfa.respelled(
                        octet -> JsonStrings.isEscaped(octet) ? List.of(JsonStrings.escape(octet)) : null,
                        limits.automata())));
    }

    private static Expr quoted(Expr inside) {
        return sequence(literal("\""), inside, literal("\""));
    }

    /** Makes an automaton, counts its states, and says of an error where it comes from. */
    private Dfa at(String path, Supplier<Dfa> work) {
        Dfa dfa;
        try {
            dfa = work.get();
        } catch (ServingException e) {
            throw SchemaErrors.at(path, e);
        }
        charge(dfa.stateCount(), path);
        return dfa;
    }

    private void charge(int count, String path) {
        states += count;
        if (states > limits.maxAutomataStates()) {
            throw SchemaErrors.refused(
                    path, "the patterns and names need more than " + limits.maxAutomataStates() + " states");
        }
    }
}
