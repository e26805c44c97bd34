package io.millrace.grammar.json;

import static io.millrace.grammar.Expr.choice;
import static io.millrace.grammar.Expr.literal;
import static io.millrace.grammar.Expr.optional;
import static io.millrace.grammar.Expr.rule;
import static io.millrace.grammar.Expr.sequence;

import io.millrace.grammar.Expr;
import io.millrace.grammar.Expr.Choice;
import io.millrace.grammar.Expr.Repeat;
import io.millrace.grammar.Expr.Sequence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The arrays and objects of a shape. */
final class Containers {
    /** Properties after which the rest of an object is a rule of its own. */
    private static final int CHUNK = 8;

    /** Most rules of an object whose properties are counted. */
    private static final int MAX_COUNTED = 2_000;

    private final Map<String, Expr> rules;
    private final Repeats repeats;
    private final StringLanguages strings;
    private final Steps steps;
    private final Function<List<Schema>, String> values;
    private int names;

    /**
     * Makes a writer.
     *
     * @param rules rules of the grammar; others are added
     * @param values the rule of the values that match several schemas
     */
    Containers(
            Map<String, Expr> rules,
            Repeats repeats,
            StringLanguages strings,
            Steps steps,
            Function<List<Schema>, String> values) {
        this.rules = rules;
        this.repeats = repeats;
        this.strings = strings;
        this.steps = steps;
        this.values = values;
    }

    /** Returns the arrays of a shape. */
    Expr array(Shape shape) {
        int min = shape.minItems();
        int max = shape.maxItems();
        int prefix = Math.min(shape.prefixItems(), max);
        if (min > max) {
            return new Choice(List.of());
        }
        // From the end: what may follow the first elements.
        Expr rest = Expr.EMPTY;
        if (max > prefix) {
            String item = values.apply(shape.item(prefix));
            int most = max == Integer.MAX_VALUE ? Repeat.UNBOUNDED : max - prefix;
            rest = prefix == 0
                    ? elements(item, min, most)
                    : repeats.of(
                            "more-" + item, sequence(JsonGrammars.COMMA, rule(item)), Math.max(0, min - prefix), most);
        }
        for (int i = prefix - 1; i >= 0; i--) {
            List<Schema> schemas = shape.item(i);
            schemas.forEach(schema -> steps.count(schema.path()));
            Expr element = sequence(i == 0 ? Expr.EMPTY : JsonGrammars.COMMA, rule(values.apply(schemas)));
            Expr more = sequence(element, i % CHUNK == CHUNK - 1 ? named(rest) : rest);
            rest = i < min ? more : optional(more);
        }
        return sequence(literal("["), rest, literal("]"));
    }

    private Expr elements(String item, int min, int max) {
        int more = max == Repeat.UNBOUNDED ? max : max - 1;
        Expr some = sequence(
                rule(item),
                repeats.of("more-" + item, sequence(JsonGrammars.COMMA, rule(item)), Math.max(0, min - 1), more));
        return min == 0 ? optional(some) : some;
    }

    private Expr named(Expr expr) {
        String name = "part-" + names++;
        rules.put(name, expr);
        return rule(name);
    }

    /** One declared property. */
    private record Member(Expr text, boolean required) {}

    /** Returns the objects of a shape: declared properties in order, then others. */
    Expr object(Shape shape) {
        Set<String> required = shape.required();
        if (Math.max(shape.minProperties(), required.size()) > shape.maxProperties()) {
            return new Choice(List.of());
        }
        strings.checkCount(shape.namePatterns().values(), shape.objectsPath());
        List<Member> members = new ArrayList<>();
        for (String name : shape.names()) {
            steps.count(shape.objectsPath());
            List<Schema> schemas = shape.property(
                    name, strings.matching(name, shape.namePatterns().values()));
            boolean never = schemas.stream().anyMatch(Schema::isNever);
            if (!never || required.contains(name)) {
                Expr value = never ? new Choice(List.of()) : rule(values.apply(schemas));
                members.add(
                        new Member(sequence(literal(JsonStrings.quoted(name) + ": "), value), required.contains(name)));
            }
        }
        Expr other = others(shape);
        boolean counted = shape.minProperties() > required.size()
                || shape.maxProperties() < (other == null ? members.size() : Integer.MAX_VALUE);
        Expr inside = counted ? new Counted(shape, members, other).from(0, 0) : free(members, other);
        return sequence(literal("{"), inside, literal("}"));
    }

    /** Returns a member that is not declared, or null where there can be none. */
    private @Nullable Expr others(Shape shape) {
        String path = shape.objectsPath();
        List<Schema> unmatched = shape.property(null, Set.of());
        boolean closed = unmatched.stream().anyMatch(Schema::isNever);
        if (closed && shape.namePatterns().isEmpty()) {
            return null;
        }
        List<Expr> branches = new ArrayList<>();
        for (StringLanguages.Names kind :
                strings.undeclared(shape.names(), shape.namePatterns().values(), path)) {
            List<Schema> schemas = shape.property(null, kind.matched());
            if (schemas.stream().noneMatch(Schema::isNever)) {
                branches.add(sequence(kind.key(), literal(": "), rule(values.apply(schemas))));
            }
        }
        return branches.isEmpty() ? null : named(new Choice(branches));
    }

    /** Any members that are not left out, in order. */
    private Expr free(List<Member> members, @Nullable Expr other) {
        int count = members.size();
        // What follows a member: all later ones, each with its comma. The rest of a chunk is shared by a rule.
        Expr[] after = new Expr[count + 1];
        Expr tail = other == null ? Expr.EMPTY : Expr.many(sequence(JsonGrammars.COMMA, other));
        int first = 0;
        while (first < count && !members.get(first).required()) {
            first++;
        }
        for (int i = count; i >= 0; i--) {
            List<Expr> parts = new ArrayList<>();
            int chunk = Math.min(count, (i / CHUNK + 1) * CHUNK);
            for (int j = i; j < chunk; j++) {
                Expr member = sequence(JsonGrammars.COMMA, members.get(j).text());
                parts.add(members.get(j).required() ? member : optional(member));
            }
            parts.add(chunk == i ? tail : after[chunk]);
            Expr all = new Sequence(parts);
            after[i] = i % CHUNK == 0 && i > 0 ? named(all) : all;
        }
        List<Expr> starts = new ArrayList<>();
        for (int i = 0; i <= first && i < count; i++) {
            starts.add(sequence(members.get(i).text(), after[i + 1]));
        }
        if (first == count) {
            if (other != null) {
                starts.add(sequence(other, tail));
            }
            starts.add(Expr.EMPTY);
        }
        return new Choice(starts);
    }

    /** Members whose number is limited: a rule for each place among the declared ones and each number so far. */
    private final class Counted {
        private final int min;
        private final int max;
        private final List<Member> members;
        private final @Nullable Expr other;
        private final String path;
        private final Map<Long, Expr> done = new HashMap<>();

        Counted(Shape shape, List<Member> members, @Nullable Expr other) {
            this.min = shape.minProperties();
            this.max = shape.maxProperties();
            this.members = members;
            this.other = other;
            this.path = SchemaErrors.member(
                    shape.objectsPath(), min > shape.required().size() ? "minProperties" : "maxProperties");
            // Two members that are not declared may have the same name, and would count once.
            if (other != null && min > shape.required().size() + 1) {
                throw SchemaErrors.refused(
                        path, "needs several properties that are not declared; this is not supported");
            }
        }

        /** What may follow {@code count} members, of which the last was declared before {@code index}. */
        Expr from(int index, int count) {
            int from = index;
            List<Expr> branches = new ArrayList<>();
            while (from < members.size() && count < max) {
                Member member = members.get(from);
                branches.add(sequence(separator(count), member.text(), shared(from + 1, count + 1)));
                if (member.required()) {
                    return new Choice(branches);
                }
                from++;
            }
            boolean requiredLeft = members.stream().skip(from).anyMatch(Member::required);
            if (!requiredLeft) {
                branches.add(end(count));
            }
            return new Choice(branches);
        }

        private Expr shared(int index, int count) {
            long key = (long) index << 32 | count;
            Expr known = done.get(key);
            if (known == null) {
                if (done.size() >= MAX_COUNTED) {
                    throw SchemaErrors.refused(path, "there are too many properties to count");
                }
                known = named(from(index, count));
                done.put(key, known);
            }
            return known;
        }

        private Expr end(int count) {
            int missing = Math.max(0, min - count);
            if (other == null || count >= max) {
                return missing == 0 ? Expr.EMPTY : new Choice(List.of());
            }
            int most = max == Integer.MAX_VALUE ? Repeat.UNBOUNDED : max - count;
            String name = "more-" + ((Expr.Rule) other).name();
            Expr more = sequence(JsonGrammars.COMMA, other);
            if (count > 0) {
                return repeats.of(name, more, missing, most);
            }
            int rest = most == Repeat.UNBOUNDED ? most : most - 1;
            Expr some = sequence(other, repeats.of(name, more, 0, rest));
            return missing == 0 ? choice(Expr.EMPTY, some) : some;
        }

        private static Expr separator(int count) {
            return count == 0 ? Expr.EMPTY : JsonGrammars.COMMA;
        }
    }
}
