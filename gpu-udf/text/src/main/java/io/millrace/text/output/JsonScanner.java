package io.millrace.text.output;

/** Follows JSON text character by character, to know where its outermost object or array ends. */
final class JsonScanner {
    /** What is known after a character. */
    enum State {
        OPEN,
        COMPLETE,
        /** No JSON goes on like this. */
        BROKEN
    }

    private static final int MAX_DEPTH = 256;

    /** The brackets that are still to come, innermost last. */
    private final StringBuilder closers = new StringBuilder();

    private boolean inString;
    private boolean escaped;

    /** Takes the next character; the first one opens an object or array. */
    State accept(char c) {
        if (inString) {
            if (escaped) {
                escaped = false;
            } else if (c == '\\') {
                escaped = true;
            } else if (c == '"') {
                inString = false;
            }
            return State.OPEN;
        }
        switch (c) {
            case '"' -> inString = true;
            case '{' -> closers.append('}');
            case '[' -> closers.append(']');
            case '}', ']' -> {
                int last = closers.length() - 1;
                if (last < 0 || closers.charAt(last) != c) {
                    return State.BROKEN;
                }
                closers.setLength(last);
                return last == 0 ? State.COMPLETE : State.OPEN;
            }
            default -> {
                boolean fits = c <= ' ' || "0123456789+-.eE,:truefalsn".indexOf(c) >= 0;
                return fits ? State.OPEN : State.BROKEN;
            }
        }
        return closers.length() > MAX_DEPTH ? State.BROKEN : State.OPEN;
    }

    /** Returns what would end the JSON here. */
    String ending() {
        String quote = inString ? (escaped ? "\\\"" : "\"") : "";
        return quote + new StringBuilder(closers).reverse();
    }
}
