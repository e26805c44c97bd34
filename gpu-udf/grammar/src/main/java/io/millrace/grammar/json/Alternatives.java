package io.millrace.grammar.json;

import static java.util.Objects.requireNonNull;

import io.millrace.grammar.json.SchemaReader.Document;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The shapes of which a value must match one, where it must match several schemas together: references are followed,
 * {@code allOf} is joined, {@code anyOf} and {@code oneOf} are multiplied out. That the branches of {@code oneOf}
 * exclude each other is for {@link Disjointness} to check.
 */
final class Alternatives {
    private final Document document;
    private final SchemaLimits limits;
    private final Steps steps;
    private final Map<String, List<Shape>> known = new HashMap<>();

    Alternatives(Document document, SchemaLimits limits, Steps steps) {
        this.document = document;
        this.limits = limits;
        this.steps = steps;
    }

    /** Returns the shapes of which a value matches one if and only if it matches all of some schemas. */
    List<Shape> of(List<Schema> schemas) {
        List<Shape> shapes = List.of(new Shape(List.of()));
        for (Schema schema : schemas) {
            shapes = product(shapes, of(schema, new HashSet<>()), schema.path());
        }
        return shapes;
    }

    /** Returns the same conjunction without schemas that ask nothing, that only refer to another, or stand twice. */
    List<Schema> simplified(List<Schema> schemas) {
        Map<String, Schema> simple = new LinkedHashMap<>();
        for (Schema schema : schemas) {
            Schema target = schema;
            Set<String> seen = new HashSet<>();
            while (isReferenceOnly(target) && seen.add(target.path())) {
                target = document.at(requireNonNull(target.others().ref()));
            }
            if (!target.asksNothing() || !target.others().equals(Schema.Others.NONE)) {
                simple.putIfAbsent(target.path(), target);
            }
        }
        return List.copyOf(simple.values());
    }

    private static boolean isReferenceOnly(Schema schema) {
        Schema.Others others = schema.others();
        return others.ref() != null
                && others.allOf().isEmpty()
                && others.anyOf() == null
                && others.oneOf() == null
                && schema.asksNothing();
    }

    private List<Shape> of(Schema schema, Set<String> open) {
        List<Shape> done = known.get(schema.path());
        if (done != null) {
            return done;
        }
        if (!open.add(schema.path())) {
            throw SchemaErrors.refused(schema.path(), "this schema refers to itself for the same value");
        }
        if (open.size() > 4 * limits.maxDepth()) {
            throw SchemaErrors.refused(schema.path(), "too many schemas refer to each other for the same value");
        }
        List<Shape> shapes = List.of(new Shape(schema.asksNothing() ? List.of() : List.of(schema)));
        if (schema.isNever()) {
            shapes = List.of();
        }
        Schema.Others others = schema.others();
        if (others.ref() != null) {
            shapes = product(shapes, of(document.at(others.ref()), open), schema.path());
        }
        for (Schema all : others.allOf()) {
            shapes = product(shapes, of(all, open), all.path());
        }
        if (others.anyOf() != null) {
            shapes = product(shapes, union(others.anyOf(), open), SchemaErrors.member(schema.path(), "anyOf"));
        }
        if (others.oneOf() != null) {
            shapes = product(shapes, union(others.oneOf(), open), SchemaErrors.member(schema.path(), "oneOf"));
        }
        open.remove(schema.path());
        known.put(schema.path(), shapes);
        return shapes;
    }

    private List<Shape> union(List<Schema> branches, Set<String> open) {
        Map<Set<String>, Shape> shapes = new LinkedHashMap<>();
        for (Schema branch : branches) {
            for (Shape shape : of(branch, open)) {
                shapes.putIfAbsent(key(shape), shape);
            }
            check(shapes.size(), branch.path());
        }
        return List.copyOf(shapes.values());
    }

    private List<Shape> product(List<Shape> left, List<Shape> right, String path) {
        if (right.size() == 1 && right.get(0).parts().isEmpty()) {
            return left;
        }
        check(Math.multiplyExact((long) left.size(), right.size()) / 16, path);
        Map<Set<String>, Shape> shapes = new LinkedHashMap<>();
        for (Shape first : left) {
            for (Shape second : right) {
                steps.count(path);
                Map<String, Schema> parts = new LinkedHashMap<>();
                first.parts().forEach(part -> parts.put(part.path(), part));
                second.parts().forEach(part -> parts.putIfAbsent(part.path(), part));
                check(parts.size(), path);
                Shape both = new Shape(new ArrayList<>(parts.values()));
                if (!both.types().isEmpty()) {
                    shapes.putIfAbsent(Set.copyOf(parts.keySet()), both);
                }
            }
        }
        check(shapes.size(), path);
        return List.copyOf(shapes.values());
    }

    private static Set<String> key(Shape shape) {
        Set<String> paths = new HashSet<>();
        shape.parts().forEach(part -> paths.add(part.path()));
        return paths;
    }

    private void check(long count, String path) {
        if (count > limits.maxAlternatives()) {
            throw SchemaErrors.refused(
                    path,
                    "the branches combine in more than " + limits.maxAlternatives() + " ways, which is the limit");
        }
    }
}
