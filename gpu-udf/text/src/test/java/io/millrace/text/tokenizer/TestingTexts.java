package io.millrace.text.tokenizer;

import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/** Random texts, and properties that hold for all of them. */
final class TestingTexts {
    private TestingTexts() {}

    /** Checks a property with many generators; a failure names the seed of the one it failed with. */
    static void forAll(long seed, int count, Consumer<Random> property) {
        for (int i = 0; i < count; i++) {
            long caseSeed = seed * 1_000_003 + i;
            try {
                property.accept(new Random(caseSeed));
            } catch (Throwable e) {
                throw new AssertionError("fails with seed " + caseSeed, e);
            }
        }
    }

    /** Returns a text of up to {@code partsMax} parts: given ones, the beginnings and ends of those, and characters. */
    static String mixed(Random random, int partsMax, List<String> parts) {
        StringBuilder text = new StringBuilder();
        int count = random.nextInt(partsMax + 1);
        for (int i = 0; i < count; i++) {
            String part = parts.get(random.nextInt(parts.size()));
            switch (random.nextInt(6)) {
                case 0, 1 -> text.append(part);
                case 2 -> text.append(part, 0, random.nextInt(part.length() + 1));
                case 3 -> text.append(part.substring(random.nextInt(part.length() + 1)));
                case 4 -> text.append(" \n\tab'sX1.,\u00e9\u4e2d".charAt(random.nextInt(13)));
                default -> text.appendCodePoint(codePoint(random));
            }
        }
        return text.toString();
    }

    /** Returns a random code point that is no surrogate, in one of eight cases beyond the basic plane. */
    static int codePoint(Random random) {
        int codePoint = random.nextInt(8) == 0 ? random.nextInt(0x10000, 0x110000) : random.nextInt(0x10000);
        return codePoint >= 0xd800 && codePoint < 0xe000 ? codePoint - 0x800 : codePoint;
    }
}
