package io.millrace.operators.grammar;

import java.util.LinkedHashMap;
import java.util.Map;

/** Texts that came lately, so many at most; long ones are forgotten at once. Safe for use by several threads. */
final class RecentTexts {
    private final int maxChars;
    private final Map<String, Boolean> texts;

    RecentTexts(int maxCount, int maxChars) {
        this.maxChars = maxChars;
        this.texts = new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
                return size() > maxCount;
            }
        };
    }

    synchronized boolean has(String text) {
        return texts.get(text) != null;
    }

    synchronized void add(String text) {
        if (text.length() <= maxChars) {
            texts.put(text, true);
        }
    }
}
