package io.millrace.model;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.nio.file.Path;

/** The one wording of what is wrong with a model file. */
final class GgufErrors {
    private static final int SHOWN_CHARACTERS_MAX = 80;

    private GgufErrors() {}

    static ServingException invalid(Path file, String problem) {
        return new ServingException(ErrorCode.MODEL_FILE_INVALID, file + ": " + problem);
    }

    static ServingException invalidAt(Path file, long offset, String problem) {
        return invalid(file, "at byte " + offset + ": " + problem);
    }

    /** Returns a name from the file as it may stand in a message: short, and without control characters. */
    static String shown(String name) {
        StringBuilder text = new StringBuilder("'");
        int end = Math.min(name.length(), SHOWN_CHARACTERS_MAX);
        for (int i = 0; i < end; i++) {
            char character = name.charAt(i);
            text.append(Character.isISOControl(character) ? '?' : character);
        }
        return text.append(end < name.length() ? "…'" : "'").toString();
    }
}
