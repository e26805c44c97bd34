package io.millrace.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;

/** Reads what regular expressions write for sets of code points: escapes, classes in brackets, properties. */
final class RegexClasses {
    private static final CodePointSet DIGITS = CodePointSet.range('0', '9');
    private static final CodePointSet WORDS = DIGITS.union(CodePointSet.range('a', 'z'))
            .union(CodePointSet.range('A', 'Z'))
            .union(CodePointSet.of("_"));
    private static final CodePointSet SPACES = CodePointSet.range('\t', '\r')
            .union(CodePointSet.of(" \u00A0\u1680\u2028\u2029\u202F\u205F\u3000\uFEFF"))
            .union(CodePointSet.range(0x2000, 0x200A));

    /** What a dot matches. */
    static final CodePointSet NOT_LINE_END = CodePointSet.of("\n\r\u2028\u2029").complement();

    /** Long names of categories. */
    private static final Map<String, String> CATEGORY_NAMES = Map.ofEntries(
            Map.entry("Letter", "L"),
            Map.entry("Uppercase_Letter", "Lu"),
            Map.entry("Lowercase_Letter", "Ll"),
            Map.entry("Titlecase_Letter", "Lt"),
            Map.entry("Modifier_Letter", "Lm"),
            Map.entry("Other_Letter", "Lo"),
            Map.entry("Mark", "M"),
            Map.entry("Number", "N"),
            Map.entry("Decimal_Number", "Nd"),
            Map.entry("Punctuation", "P"),
            Map.entry("Symbol", "S"),
            Map.entry("Separator", "Z"),
            Map.entry("Space_Separator", "Zs"),
            Map.entry("Other", "C"),
            Map.entry("Control", "Cc"));

    /** Short names of categories, where {@link Character#getType} has them. */
    private static final Map<String, Integer> CATEGORIES = Map.ofEntries(
            Map.entry("Cn", (int) Character.UNASSIGNED),
            Map.entry("Lu", (int) Character.UPPERCASE_LETTER),
            Map.entry("Ll", (int) Character.LOWERCASE_LETTER),
            Map.entry("Lt", (int) Character.TITLECASE_LETTER),
            Map.entry("Lm", (int) Character.MODIFIER_LETTER),
            Map.entry("Lo", (int) Character.OTHER_LETTER),
            Map.entry("Mn", (int) Character.NON_SPACING_MARK),
            Map.entry("Me", (int) Character.ENCLOSING_MARK),
            Map.entry("Mc", (int) Character.COMBINING_SPACING_MARK),
            Map.entry("Nd", (int) Character.DECIMAL_DIGIT_NUMBER),
            Map.entry("Nl", (int) Character.LETTER_NUMBER),
            Map.entry("No", (int) Character.OTHER_NUMBER),
            Map.entry("Zs", (int) Character.SPACE_SEPARATOR),
            Map.entry("Zl", (int) Character.LINE_SEPARATOR),
            Map.entry("Zp", (int) Character.PARAGRAPH_SEPARATOR),
            Map.entry("Cc", (int) Character.CONTROL),
            Map.entry("Cf", (int) Character.FORMAT),
            Map.entry("Co", (int) Character.PRIVATE_USE),
            Map.entry("Cs", (int) Character.SURROGATE),
            Map.entry("Pd", (int) Character.DASH_PUNCTUATION),
            Map.entry("Ps", (int) Character.START_PUNCTUATION),
            Map.entry("Pe", (int) Character.END_PUNCTUATION),
            Map.entry("Pc", (int) Character.CONNECTOR_PUNCTUATION),
            Map.entry("Po", (int) Character.OTHER_PUNCTUATION),
            Map.entry("Sm", (int) Character.MATH_SYMBOL),
            Map.entry("Sc", (int) Character.CURRENCY_SYMBOL),
            Map.entry("Sk", (int) Character.MODIFIER_SYMBOL),
            Map.entry("So", (int) Character.OTHER_SYMBOL),
            Map.entry("Pi", (int) Character.INITIAL_QUOTE_PUNCTUATION),
            Map.entry("Pf", (int) Character.FINAL_QUOTE_PUNCTUATION));

    private static final Set<String> CATEGORY_GROUPS = Set.of("L", "M", "N", "P", "S", "Z", "C");

    private final SourceText source;

    RegexClasses(SourceText source) {
        this.source = source;
    }

    /** Reads what follows an opening bracket. */
    CodePointSet bracket() {
        boolean negated = source.takeIf('^');
        CodePointSet set = CodePointSet.NONE;
        List<CodePointRange> ranges = new ArrayList<>();
        while (!source.takeIf(']')) {
            CodePointSet first = member();
            boolean range = source.peek() == '-' && source.peek(1) != ']' && source.peek(1) != SourceText.END;
            if (!range) {
                ranges.addAll(first.ranges());
                continue;
            }
            source.take();
            CodePointSet last = member();
            int low = single(first);
            int high = single(last);
            if (high < low) {
                throw source.error("a range of characters has its ends in the wrong order");
            }
            ranges.add(new CodePointRange(low, high));
        }
        set = set.union(new CodePointSet(ranges));
        return negated ? set.complement() : set;
    }

    private CodePointSet member() {
        int codePoint = source.take();
        return codePoint == '\\' ? escape(true) : CodePointSet.range(codePoint, codePoint);
    }

    private int single(CodePointSet set) {
        List<CodePointRange> ranges = set.ranges();
        if (ranges.size() != 1 || ranges.get(0).first() != ranges.get(0).last()) {
            throw source.error("a class cannot be the end of a range");
        }
        return ranges.get(0).first();
    }

    /** Reads what follows a backslash. */
    CodePointSet escape(boolean inBracket) {
        int letter = source.take();
        return switch (letter) {
            case 'd' -> DIGITS;
            case 'D' -> DIGITS.complement();
            case 'w' -> WORDS;
            case 'W' -> WORDS.complement();
            case 's' -> SPACES;
            case 'S' -> SPACES.complement();
            case 'p' -> property();
            case 'P' -> property().complement();
            default -> {
                int codePoint = character(letter, inBracket);
                yield CodePointSet.range(codePoint, codePoint);
            }
        };
    }

    private int character(int letter, boolean inBracket) {
        return switch (letter) {
            case 't' -> '\t';
            case 'n' -> '\n';
            case 'v' -> 0x0B;
            case 'f' -> '\f';
            case 'r' -> '\r';
            case 'x' -> source.takeHex(2);
            case 'u' -> unicode();
            case 'c' -> control();
            case '0' -> {
                if (source.peek() >= '0' && source.peek() <= '9') {
                    throw source.error("octal escapes are not");
                }
                yield 0;
            }
            case 'b' -> {
                if (!inBracket) {
                    throw source.error("boundaries of words are not");
                }
                yield '\b';
            }
            default -> {
                if (letter >= '1' && letter <= '9' || letter == 'k') {
                    throw source.error("references to groups are not");
                }
                if (Character.isLetter(letter)) {
                    throw source.error("the escape \\" + Character.toString(letter) + " is not");
                }
                yield letter;
            }
        };
    }

    private int control() {
        int letter = source.take();
        if (letter < 'A' || letter > 'z' || !Character.isLetter(letter)) {
            throw source.error("\\c needs a letter");
        }
        return letter & 0x1F;
    }

    private int unicode() {
        if (source.takeIf('{')) {
            int digits = 0;
            while (source.peek(digits) != '}' && digits <= 6) {
                digits++;
            }
            int codePoint = source.takeHex(digits);
            source.expect('}');
            if (digits == 0 || codePoint > Character.MAX_CODE_POINT) {
                throw source.error("there is no such code point");
            }
            return codePoint;
        }
        int unit = source.takeHex(4);
        if (Character.isHighSurrogate((char) unit) && source.takeIf("\\u")) {
            int low = source.takeHex(4);
            if (!Character.isLowSurrogate((char) low)) {
                throw source.error("half of a pair of surrogates is missing");
            }
            return Character.toCodePoint((char) unit, (char) low);
        }
        return unit;
    }

    private CodePointSet property() {
        source.expect('{');
        StringBuilder text = new StringBuilder();
        while (source.peek() != '}') {
            text.appendCodePoint(source.take());
        }
        source.take();
        String name = text.toString();
        for (String prefix : List.of("Script=", "sc=")) {
            if (name.startsWith(prefix)) {
                return script(name.substring(prefix.length()));
            }
        }
        for (String prefix : List.of("General_Category=", "gc=")) {
            name = name.startsWith(prefix) ? name.substring(prefix.length()) : name;
        }
        String category = CATEGORY_NAMES.getOrDefault(name, name);
        Integer type = CATEGORIES.get(category);
        if (type != null) {
            return all(codePoint -> Character.getType(codePoint) == type);
        }
        if (CATEGORY_GROUPS.contains(category)) {
            boolean[] types = new boolean[64];
            CATEGORIES.forEach((key, value) -> types[value] |= key.startsWith(category));
            return all(codePoint -> types[Character.getType(codePoint)]);
        }
        return switch (category) {
            case "Any" -> CodePointSet.ALL;
            case "ASCII" -> CodePointSet.range(0, 0x7F);
            case "Alphabetic", "Alpha" -> all(Character::isAlphabetic);
            case "Uppercase", "Upper" -> all(Character::isUpperCase);
            case "Lowercase", "Lower" -> all(Character::isLowerCase);
            case "White_Space" -> SPACES.minus(CodePointSet.of("\uFEFF")).union(CodePointSet.of("\u0085"));
            default -> throw source.error("the property " + name + " is not");
        };
    }

    private CodePointSet script(String name) {
        try {
            Character.UnicodeScript script = Character.UnicodeScript.forName(name);
            return all(codePoint -> Character.UnicodeScript.of(codePoint) == script);
        } catch (IllegalArgumentException e) {
            throw source.error("the script " + name + " is not known");
        }
    }

    private static CodePointSet all(IntPredicate predicate) {
        List<CodePointRange> ranges = new ArrayList<>();
        int first = -1;
        for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT + 1; codePoint++) {
            boolean in = codePoint <= Character.MAX_CODE_POINT && predicate.test(codePoint);
            if (in && first < 0) {
                first = codePoint;
            } else if (!in && first >= 0) {
                ranges.add(new CodePointRange(first, codePoint - 1));
                first = -1;
            }
        }
        return new CodePointSet(ranges);
    }
}
