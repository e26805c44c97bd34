package io.millrace.grammar;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Random grammars, and what they mean by the definition alone. */
final class TestingGrammars {
    static final String ALPHABET = "ab\u00e9\u20ac";

    private TestingGrammars() {}

    /** Returns a generator whose first numbers differ as well, which those of neighbouring seeds hardly do. */
    static Random seeded(int seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 5; i++) {
            random.nextInt();
        }
        return new Random(random.nextLong());
    }

    /** Returns a grammar whose rules use only later ones, so that it is not recursive. */
    static GrammarSource finite(Random random) {
        int rules = 1 + random.nextInt(4);
        Map<String, Expr> all = new LinkedHashMap<>();
        for (int rule = 0; rule < rules; rule++) {
            all.put("r" + rule, expr(random, 3, rule + 1, rules, false));
        }
        return new GrammarSource("r0", all);
    }

    /** Returns a grammar whose rules use any others, but never before they take a byte. */
    static GrammarSource recursive(Random random) {
        int rules = 1 + random.nextInt(4);
        Map<String, Expr> all = new LinkedHashMap<>();
        for (int rule = 0; rule < rules; rule++) {
            List<Expr> branches = new ArrayList<>();
            branches.add(Expr.literal(letter(random)));
            for (int i = random.nextInt(3); i >= 0; i--) {
                branches.add(Expr.sequence(Expr.literal(letter(random)), expr(random, 2, 0, rules, true)));
            }
            all.put("r" + rule, new Expr.Choice(branches));
        }
        return new GrammarSource("r0", all);
    }

    private static String letter(Random random) {
        int index = random.nextInt(ALPHABET.length());
        return ALPHABET.substring(index, index + 1);
    }

    private static Expr expr(Random random, int depth, int firstRule, int rules, boolean unbounded) {
        int kind = random.nextInt(depth == 0 ? 3 : 8);
        List<Expr> parts = new ArrayList<>();
        switch (kind) {
            case 0:
                return Expr.literal(letter(random) + (random.nextBoolean() ? letter(random) : ""));
            case 1:
                return new Expr.CharClass(CodePointSet.of(letter(random) + letter(random)));
            case 2:
                if (firstRule < rules) {
                    return Expr.rule("r" + (firstRule + random.nextInt(rules - firstRule)));
                }
                return random.nextInt(4) == 0 ? Expr.EMPTY : Expr.literal(letter(random));
            case 3, 4:
                for (int i = random.nextInt(3); i >= 0; i--) {
                    parts.add(expr(random, depth - 1, firstRule, rules, unbounded));
                }
                return new Expr.Sequence(parts);
            case 5, 6:
                for (int i = random.nextInt(3); i >= 0; i--) {
                    parts.add(expr(random, depth - 1, firstRule, rules, unbounded));
                }
                return new Expr.Choice(parts);
            default:
                int min = random.nextInt(2);
                int max = unbounded && random.nextBoolean() ? Expr.Repeat.UNBOUNDED : min + random.nextInt(2);
                Expr body = expr(random, depth - 1, firstRule, rules, unbounded);
                if (random.nextInt(4) == 0 && firstRule >= rules) {
                    return new Expr.Automaton(Dfa.of(new Expr.Repeat(body, min, max), GrammarLimits.DEFAULT));
                }
                return new Expr.Repeat(body, min, max);
        }
    }

    /** Returns every text of an expression, as Latin-1 strings of its bytes; null if there are more than a limit. */
    static @Nullable Set<String> language(GrammarSource source, Expr expr, int limit) {
        Set<String> texts = new TreeSet<>();
        if (expr instanceof Expr.Literal literal) {
            texts.add(latin1(literal.text().getBytes(StandardCharsets.UTF_8)));
        } else if (expr instanceof Expr.CharClass charClass) {
            for (CodePointRange range : charClass.set().ranges()) {
                for (int codePoint = range.first(); codePoint <= range.last(); codePoint++) {
                    texts.add(latin1(Character.toString(codePoint).getBytes(StandardCharsets.UTF_8)));
                }
            }
        } else if (expr instanceof Expr.Sequence sequence) {
            texts.add("");
            for (Expr part : sequence.parts()) {
                texts = product(texts, language(source, part, limit), limit);
                if (texts == null) {
                    return null;
                }
            }
        } else if (expr instanceof Expr.Choice choice) {
            for (Expr branch : choice.branches()) {
                Set<String> more = language(source, branch, limit);
                if (more == null) {
                    return null;
                }
                texts.addAll(more);
            }
        } else if (expr instanceof Expr.Repeat repeat) {
            Set<String> body = language(source, repeat.body(), limit);
            Set<String> power = new TreeSet<>(Set.of(""));
            for (int i = 0; i <= repeat.max() && power != null; i++) {
                if (i >= repeat.min()) {
                    texts.addAll(power);
                }
                power = product(power, body, limit);
            }
            return power == null ? null : texts;
        } else if (expr instanceof Expr.Rule rule) {
            return language(source, source.rules().get(rule.name()), limit);
        } else if (expr instanceof Expr.Automaton automaton) {
            collect(automaton.dfa(), 0, "", texts);
        }
        return texts.size() > limit ? null : texts;
    }

    private static void collect(Dfa dfa, int state, String text, Set<String> texts) {
        if (dfa.accepts(state)) {
            texts.add(text);
        }
        for (int octet = 0; octet < 256; octet++) {
            if (dfa.next(state, octet) != Dfa.DEAD) {
                collect(dfa, dfa.next(state, octet), text + (char) octet, texts);
            }
        }
    }

    private static @Nullable Set<String> product(@Nullable Set<String> first, @Nullable Set<String> second, int limit) {
        if (first == null || second == null || (long) first.size() * second.size() > limit) {
            return null;
        }
        Set<String> texts = new TreeSet<>();
        first.forEach(head -> second.forEach(tail -> texts.add(head + tail)));
        return texts;
    }

    /** Returns a random text of an expression, or null if it became too long. */
    static byte @Nullable [] sample(GrammarSource source, Random random, int maxBytes) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        return sample(source, source.rules().get(source.start()), random, maxBytes, 60, text)
                ? text.toByteArray()
                : null;
    }

    private static boolean sample(
            GrammarSource source, Expr expr, Random random, int maxBytes, int depth, ByteArrayOutputStream text) {
        if (depth == 0 || text.size() > maxBytes) {
            return false;
        }
        if (expr instanceof Expr.Literal literal) {
            text.writeBytes(literal.text().getBytes(StandardCharsets.UTF_8));
        } else if (expr instanceof Expr.CharClass charClass) {
            List<CodePointRange> ranges = charClass.set().ranges();
            CodePointRange range = ranges.get(random.nextInt(ranges.size()));
            int codePoint = range.first() + random.nextInt(range.last() - range.first() + 1);
            text.writeBytes(Character.toString(codePoint).getBytes(StandardCharsets.UTF_8));
        } else if (expr instanceof Expr.Sequence sequence) {
            for (Expr part : sequence.parts()) {
                if (!sample(source, part, random, maxBytes, depth - 1, text)) {
                    return false;
                }
            }
        } else if (expr instanceof Expr.Choice choice) {
            Expr branch = choice.branches().get(random.nextInt(choice.branches().size()));
            return sample(source, branch, random, maxBytes, depth - 1, text);
        } else if (expr instanceof Expr.Repeat repeat) {
            int most = repeat.max() == Expr.Repeat.UNBOUNDED ? 4 : Math.min(4, repeat.max() - repeat.min() + 1);
            int count = repeat.min() + random.nextInt(most);
            for (int i = 0; i < count; i++) {
                if (!sample(source, repeat.body(), random, maxBytes, depth - 1, text)) {
                    return false;
                }
            }
        } else if (expr instanceof Expr.Rule rule) {
            return sample(source, source.rules().get(rule.name()), random, maxBytes, depth - 1, text);
        } else if (expr instanceof Expr.Automaton automaton) {
            return sample(automaton.dfa(), random, maxBytes, text);
        }
        return true;
    }

    private static boolean sample(Dfa dfa, Random random, int maxBytes, ByteArrayOutputStream text) {
        int state = 0;
        while (!dfa.accepts(state) || random.nextInt(3) > 0) {
            List<Integer> octets = new ArrayList<>();
            for (int octet = 0; octet < 256; octet++) {
                if (dfa.next(state, octet) != Dfa.DEAD) {
                    octets.add(octet);
                }
            }
            if (octets.isEmpty()) {
                break;
            }
            if (text.size() > maxBytes) {
                return false;
            }
            int octet = octets.get(random.nextInt(octets.size()));
            text.write(octet);
            state = dfa.next(state, octet);
        }
        return dfa.accepts(state);
    }

    /** Whether a text is of a grammar without left recursion: where each expression may end, tried one by one. */
    static boolean matches(GrammarSource source, byte[] text) {
        return ends(source, source.rules().get(source.start()), text, 0, new HashMap<>())
                .contains(text.length);
    }

    private static Set<Integer> ends(
            GrammarSource source, Expr expr, byte[] text, int from, Map<String, Set<Integer>> memo) {
        Set<Integer> ends = new TreeSet<>();
        if (expr instanceof Expr.Literal literal) {
            byte[] bytes = literal.text().getBytes(StandardCharsets.UTF_8);
            if (startsWith(text, from, bytes)) {
                ends.add(from + bytes.length);
            }
        } else if (expr instanceof Expr.CharClass charClass) {
            for (int codePoint : ALPHABET.codePoints().toArray()) {
                byte[] bytes = Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
                if (charClass.set().contains(codePoint) && startsWith(text, from, bytes)) {
                    ends.add(from + bytes.length);
                }
            }
        } else if (expr instanceof Expr.Sequence sequence) {
            ends.add(from);
            for (Expr part : sequence.parts()) {
                ends = after(source, part, text, ends, memo);
            }
        } else if (expr instanceof Expr.Choice choice) {
            for (Expr branch : choice.branches()) {
                ends.addAll(ends(source, branch, text, from, memo));
            }
        } else if (expr instanceof Expr.Repeat repeat) {
            Set<Integer> reached = Set.of(from);
            Set<Integer> seen = new TreeSet<>();
            for (int i = 0; i <= Math.min(repeat.max(), text.length + 2 + repeat.min()); i++) {
                if (i >= repeat.min()) {
                    ends.addAll(reached);
                }
                seen.addAll(reached);
                reached = after(source, repeat.body(), text, reached, memo);
            }
        } else if (expr instanceof Expr.Rule rule) {
            String key = rule.name() + "@" + from;
            Set<Integer> known = memo.get(key);
            if (known == null) {
                known = ends(source, source.rules().get(rule.name()), text, from, memo);
                memo.put(key, known);
            }
            return known;
        } else if (expr instanceof Expr.Automaton automaton) {
            int state = 0;
            for (int end = from; state != Dfa.DEAD; end++) {
                if (automaton.dfa().accepts(state)) {
                    ends.add(end);
                }
                state = end == text.length ? Dfa.DEAD : automaton.dfa().next(state, text[end] & 0xFF);
            }
        }
        return ends;
    }

    private static Set<Integer> after(
            GrammarSource source, Expr expr, byte[] text, Set<Integer> starts, Map<String, Set<Integer>> memo) {
        Set<Integer> ends = new TreeSet<>();
        starts.forEach(start -> ends.addAll(ends(source, expr, text, start, memo)));
        return ends;
    }

    private static boolean startsWith(byte[] text, int from, byte[] part) {
        if (from + part.length > text.length) {
            return false;
        }
        for (int i = 0; i < part.length; i++) {
            if (text[from + i] != part[i]) {
                return false;
            }
        }
        return true;
    }

    static String latin1(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
