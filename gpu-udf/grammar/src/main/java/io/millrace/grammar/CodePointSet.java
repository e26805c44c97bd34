package io.millrace.grammar;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A set of code points: ranges in order, none touching the next. Immutable.
 *
 * @param ranges its ranges; any order and overlap is accepted and put right
 */
public record CodePointSet(List<CodePointRange> ranges) {
    /** Every code point. */
    public static final CodePointSet ALL = new CodePointSet(List.of(new CodePointRange(0, Character.MAX_CODE_POINT)));

    /** No code point. */
    public static final CodePointSet NONE = new CodePointSet(List.of());

    public CodePointSet {
        ranges = normal(ranges);
    }

    /** Returns the set of a range's code points, both ends included. */
    public static CodePointSet range(int first, int last) {
        return new CodePointSet(List.of(new CodePointRange(first, last)));
    }

    /** Returns the set of the code points of a text. */
    public static CodePointSet of(String text) {
        return new CodePointSet(text.codePoints().mapToObj(CodePointRange::of).toList());
    }

    /** Returns the code points of this set or the other. */
    public CodePointSet union(CodePointSet other) {
        List<CodePointRange> all = new ArrayList<>(ranges);
        all.addAll(other.ranges);
        return new CodePointSet(all);
    }

    /** Returns the code points that are not of this set. */
    public CodePointSet complement() {
        List<CodePointRange> gaps = new ArrayList<>();
        int next = 0;
        for (CodePointRange range : ranges) {
            if (range.first() > next) {
                gaps.add(new CodePointRange(next, range.first() - 1));
            }
            next = range.last() + 1;
        }
        if (next <= Character.MAX_CODE_POINT) {
            gaps.add(new CodePointRange(next, Character.MAX_CODE_POINT));
        }
        return new CodePointSet(gaps);
    }

    /** Returns the code points of this set and the other. */
    public CodePointSet intersect(CodePointSet other) {
        return complement().union(other.complement()).complement();
    }

    /** Returns the code points of this set that are not of the other. */
    public CodePointSet minus(CodePointSet other) {
        return complement().union(other).complement();
    }

    /** Whether a code point is of this set. */
    public boolean contains(int codePoint) {
        return ranges.stream().anyMatch(range -> range.first() <= codePoint && codePoint <= range.last());
    }

    /** Whether no code point is of this set. */
    public boolean isEmpty() {
        return ranges.isEmpty();
    }

    private static List<CodePointRange> normal(List<CodePointRange> ranges) {
        List<CodePointRange> sorted = new ArrayList<>(ranges);
        sorted.sort(Comparator.comparingInt(CodePointRange::first));
        List<CodePointRange> merged = new ArrayList<>(sorted.size());
        for (CodePointRange range : sorted) {
            CodePointRange last = merged.isEmpty() ? null : merged.get(merged.size() - 1);
            if (last != null && range.first() <= last.last() + 1) {
                merged.set(merged.size() - 1, new CodePointRange(last.first(), Math.max(last.last(), range.last())));
            } else {
                merged.add(range);
            }
        }
        return List.copyOf(merged);
    }
}
