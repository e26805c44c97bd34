package io.millrace.grammar.json;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;

/** What is said of a schema that is refused: where, and why. */
final class SchemaErrors {
    /** Most characters of a path or a value that a message shows. */
    private static final int MAX_SHOWN_CHARS = 300;

    private SchemaErrors() {}

    /** Returns the error of a keyword, or of something in it. */
    static ServingException refused(String path, String why) {
        String shown = shown(path);
        return new ServingException(ErrorCode.INVALID_REQUEST, shown + ": " + why, shown, null);
    }

    /** Returns the same error with the place of the keyword that led to it. */
    static ServingException at(String path, ServingException cause) {
        String shown = shown(path);
        String message = shown + ": " + cause.getMessage();
        return new ServingException(ErrorCode.INVALID_REQUEST, message, shown, cause);
    }

    /** Returns the path of a member of an object at a path. */
    static String member(String path, String name) {
        boolean plain = !name.isEmpty()
                && name.chars()
                        .allMatch(c -> c == '_' || c == '$' || c == '-' || (c < 128 && Character.isLetterOrDigit(c)));
        if (plain) {
            return path + "." + name;
        }
        return path + "['" + name.replace("\\", "\\\\").replace("'", "\\'") + "']";
    }

    /** Returns the path of an element of an array at a path. */
    static String element(String path, int index) {
        return path + "[" + index + "]";
    }

    /** Returns a text short enough to be shown. */
    static String shown(String text) {
        return text.length() <= MAX_SHOWN_CHARS ? text : text.substring(0, MAX_SHOWN_CHARS) + "…";
    }
}
