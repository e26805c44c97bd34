package io.millrace.text.output;

import io.millrace.text.output.CallReader.Call;
import io.millrace.text.output.OutputFormat.ToolCallSyntax;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Takes the characters that follow a tool call's marker, until they are a call or cannot become one. */
final class CallParser {
    /** What is known after a character. */
    enum State {
        OPEN,
        COMPLETE,
        /** This is no call: the text stays text. */
        FAILED
    }

    private enum Part {
        BEFORE,
        NAME,
        JSON,
        CLOSING
    }

    private static final String CLOSING_TAG = "</tool_call>";
    private static final String ARGUMENTS_TAG = "[ARGS]";
    private static final String CALL_ID_TAG = "[CALL_ID]";
    private static final int MAX_NAME_CHARS = 256;

    private final ToolCallSyntax syntax;

    /** Names that may be called; empty is any. */
    private final List<String> toolNames;

    /** Whether missing brackets at the end are added. */
    private final boolean repairs;

    private final StringBuilder text = new StringBuilder();
    private final JsonScanner scanner = new JsonScanner();
    private Part part = Part.BEFORE;
    private int jsonBegin;
    private int jsonEnd;
    private String ending = "";
    private int closed;
    private @Nullable List<Call> calls;

    CallParser(ToolCallSyntax syntax, List<String> toolNames, boolean repairs) {
        this.syntax = syntax;
        this.toolNames = toolNames;
        this.repairs = repairs;
    }

    /** Returns everything it was given. */
    String text() {
        return text.toString();
    }

    /** Returns the calls, once complete. */
    List<Call> calls() {
        return calls == null ? List.of() : calls;
    }

    State accept(char c) {
        text.append(c);
        return switch (part) {
            case BEFORE -> before(c);
            case NAME -> name(c);
            case JSON -> json(c);
            case CLOSING -> closing(c);
        };
    }

    private State before(char c) {
        if (Character.isWhitespace(c)) {
            return State.OPEN;
        }
        if (c == '{' || (c == '[' && syntax != ToolCallSyntax.LLAMA3_JSON)) {
            return beginJson(c);
        }
        if (syntax == ToolCallSyntax.MISTRAL) {
            part = Part.NAME;
            return State.OPEN;
        }
        return State.FAILED;
    }

    private State beginJson(char c) {
        part = Part.JSON;
        jsonBegin = text.length() - 1;
        return json(c);
    }

    private State name(char c) {
        if (c == '{') {
            return beginJson(c);
        }
        return text.length() > MAX_NAME_CHARS || c == '\n' ? State.FAILED : State.OPEN;
    }

    private State json(char c) {
        JsonScanner.State state = scanner.accept(c);
        if (state == JsonScanner.State.OPEN) {
            return State.OPEN;
        }
        if (state == JsonScanner.State.COMPLETE) {
            jsonEnd = text.length();
            part = Part.CLOSING;
            return syntax == ToolCallSyntax.HERMES ? State.OPEN : read();
        }
        if (repairs && syntax == ToolCallSyntax.HERMES && c == '<') {
            jsonEnd = text.length() - 1;
            ending = scanner.ending();
            part = Part.CLOSING;
            return closing(c);
        }
        return State.FAILED;
    }

    private State closing(char c) {
        if (closed == 0 && Character.isWhitespace(c)) {
            return State.OPEN;
        }
        if (CLOSING_TAG.charAt(closed) != c) {
            return State.FAILED;
        }
        return ++closed == CLOSING_TAG.length() ? read() : State.OPEN;
    }

    /** Says what the text is if nothing more comes. */
    State finish() {
        if (part == Part.JSON && repairs) {
            jsonEnd = text.length();
            ending = scanner.ending();
            return read();
        }
        return part == Part.CLOSING ? read() : State.FAILED;
    }

    private State read() {
        String json = text.substring(jsonBegin, jsonEnd) + ending;
        String name = text.substring(0, jsonBegin).strip();
        if (syntax == ToolCallSyntax.MISTRAL && !name.isEmpty()) {
            calls = named(name, json);
        } else {
            calls = CallReader.read(json);
        }
        boolean known = calls != null
                && (syntax != ToolCallSyntax.LLAMA3_JSON
                        || toolNames.isEmpty()
                        || calls.stream().allMatch(call -> toolNames.contains(call.name())));
        return known ? State.COMPLETE : State.FAILED;
    }

    private static @Nullable List<Call> named(String written, String json) {
        String name = written;
        for (String tag : List.of(ARGUMENTS_TAG, CALL_ID_TAG)) {
            int at = name.indexOf(tag);
            name = at < 0 ? name : name.substring(0, at).strip();
        }
        String arguments = CallReader.arguments(json);
        return arguments == null || name.isEmpty() ? null : List.of(new Call(name, arguments));
    }
}
