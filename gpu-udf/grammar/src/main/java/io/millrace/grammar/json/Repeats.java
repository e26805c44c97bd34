package io.millrace.grammar.json;

import static io.millrace.grammar.Expr.choice;
import static io.millrace.grammar.Expr.rule;
import static io.millrace.grammar.Expr.sequence;

import io.millrace.grammar.Expr;
import io.millrace.grammar.Expr.Repeat;
import io.millrace.grammar.Expr.Sequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Counted repetitions in few rules: what is repeated thousands of times is put together from rules that each repeat the
 * one before twice, so that a grammar grows with the logarithm of its counts.
 */
final class Repeats {
    /** Repetitions up to this number are written as such. */
    private static final int CHUNK = 64;

    private final Map<String, Expr> rules;

    Repeats(Map<String, Expr> rules) {
        this.rules = rules;
    }

    /**
     * Returns something a number of times.
     *
     * @param name names the body: the same name, the same body
     * @param body what is repeated
     * @param min fewest times
     * @param max most times, or {@link Repeat#UNBOUNDED}
     */
    Expr of(String name, Expr body, int min, int max) {
        boolean unbounded = max == Repeat.UNBOUNDED;
        if ((unbounded ? min : max) <= CHUNK) {
            return new Repeat(body, min, max);
        }
        List<Expr> parts = new ArrayList<>();
        addExactly(name, body, min, parts);
        parts.add(unbounded ? new Repeat(body, 0, Repeat.UNBOUNDED) : upTo(name, body, max - min));
        return new Sequence(parts);
    }

    private void addExactly(String name, Expr body, int count, List<Expr> parts) {
        int chunks = count / CHUNK;
        for (int level = 0; chunks >> level > 0; level++) {
            if ((chunks >> level & 1) == 1) {
                parts.add(doubled(name, body, level));
            }
        }
        int rest = count % CHUNK;
        if (rest > 0) {
            parts.add(new Repeat(body, rest, rest));
        }
    }

    /** Returns exactly {@code CHUNK * 2^level} times the body. */
    private Expr doubled(String name, Expr body, int level) {
        String ruleName = name + "-times-" + ((long) CHUNK << level);
        if (!rules.containsKey(ruleName)) {
            if (level == 0) {
                rules.put(ruleName, new Repeat(body, CHUNK, CHUNK));
            } else {
                Expr half = doubled(name, body, level - 1);
                rules.put(ruleName, sequence(half, half));
            }
        }
        return rule(ruleName);
    }

    /** Returns the body at most a number of times. */
    private Expr upTo(String name, Expr body, int most) {
        if (most < CHUNK) {
            return new Repeat(body, 0, most);
        }
        String ruleName = name + "-upto-" + most;
        if (!rules.containsKey(ruleName)) {
            // Fewer than the largest doubled count that fits, or that count and then some.
            int level = 0;
            while (((long) CHUNK << (level + 1)) <= (long) most + 1) {
                level++;
            }
            int largest = CHUNK << level;
            Expr fewer = largest - 1 == most ? Expr.EMPTY : upTo(name, body, largest - 1);
            rules.put(
                    ruleName,
                    largest - 1 == most
                            ? fewerThan(name, body, level)
                            : choice(fewer, sequence(doubled(name, body, level), upTo(name, body, most - largest))));
        }
        return rule(ruleName);
    }

    /** Returns the body fewer than {@code CHUNK * 2^level} times. */
    private Expr fewerThan(String name, Expr body, int level) {
        if (level == 0) {
            return new Repeat(body, 0, CHUNK - 1);
        }
        int half = (CHUNK << (level - 1)) - 1;
        Expr fewer = upTo(name, body, half);
        return choice(fewer, sequence(doubled(name, body, level - 1), fewer));
    }
}
