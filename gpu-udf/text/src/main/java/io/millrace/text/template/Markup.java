package io.millrace.text.template;

/**
 * Text that the {@code safe} or {@code escape} filter gave: text added to it is escaped for HTML.
 *
 * @param text the text
 */
record Markup(String text) {
    /** Returns text with HTML's special characters replaced. */
    static String escape(String text) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&#34;");
                case '\'' -> out.append("&#39;");
                default -> out.append(c);
            }
        }
        return out.toString();
    }
}
