package io.millrace.text.output;

import static java.util.Objects.requireNonNull;

import io.millrace.proto.ToolCall;
import io.millrace.proto.ToolCallDelta;
import io.millrace.text.output.OutputFormat.Reasoning;
import io.millrace.text.output.OutputFormat.ToolCallSyntax;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads a turn's output as it comes, and tells content, reasoning and tool calls apart.
 *
 * <p>Text that may still become a marker or a call is held back. What turns out not to be a call comes out as content,
 * as it was written. The characters alone decide: how they are cut into pieces changes when something comes out, never
 * what. White space around reasoning and calls is dropped. One instance reads one turn, on one thread.
 */
public final class OutputParser {
    private static final String THINK = "<think>";
    private static final String THINK_END = "</think>";

    private enum Mode {
        CONTENT,
        REASONING,
        CALL
    }

    private final OutputFormat format;
    private final String requestId;
    private final List<String> toolNames;
    private final boolean forced;
    private final boolean callsCertain;

    private Mode mode;
    private boolean skipsNewlines;

    /** Whether any content came out yet: some markers count at the beginning only. */
    private boolean hasContent;

    /** White space, and after it what may be the beginning of a marker. */
    private final StringBuilder held = new StringBuilder();

    /** How much of it is known to be white space: a model that writes nothing else is read once. */
    private int heldGap;

    /** What stands before the call that is being read: white space and the marker. */
    private String beforeCall = "";

    /** Whether the call's first bracket was its marker, and so is not in {@link #beforeCall}. */
    private boolean markedByBracket;

    private @Nullable CallParser call;
    private int callCount;

    /** Follows the calls that are being read, where they are certain to become some. */
    private @Nullable CallStream stream;

    private final StringBuilder content = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private List<ToolCall> toolCalls = new ArrayList<>();
    private List<ToolCallDelta> callDeltas = new ArrayList<>();

    /** Begins a turn whose calls nothing constrains. */
    public OutputParser(OutputFormat format, String requestId, List<String> toolNames, String forcedPrefix) {
        this(format, requestId, toolNames, forcedPrefix, false);
    }

    /**
     * Begins a turn.
     *
     * @param requestId the turn's request id, from which its tool calls get their ids
     * @param toolNames the tools that were offered
     * @param forcedPrefix output that was put into the prompt to force a tool call, or the empty string
     * @param callsCertain whether a constraint holds calls to their form, so that what begins as one can be said at
     *     once
     */
    public OutputParser(
            OutputFormat format, String requestId, List<String> toolNames, String forcedPrefix, boolean callsCertain) {
        this.format = requireNonNull(format, "format");
        this.requestId = requireNonNull(requestId, "requestId");
        this.toolNames = List.copyOf(toolNames);
        this.forced = !forcedPrefix.isEmpty();
        this.callsCertain = callsCertain;
        this.mode = format.reasoning() == Reasoning.OPENED ? Mode.REASONING : Mode.CONTENT;
        this.skipsNewlines = mode == Mode.REASONING;
        read(forcedPrefix);
    }

    /** Takes the next piece of text; returns what is certain now. */
    public OutputDelta accept(String textDelta) {
        read(textDelta);
        return take();
    }

    /** Ends the turn; returns what was held back. */
    public OutputDelta finish() {
        while (mode == Mode.CALL) {
            CallParser parser = requireNonNull(call);
            if (parser.finish() == CallParser.State.COMPLETE) {
                completeCalls(parser.calls());
            } else if (hasBegun()) {
                // What readers were told stays: calls that were cut off, as they are.
                completeCalls(requireNonNull(stream).calls());
            } else {
                read(withdrawCall(parser));
            }
        }
        boolean gapAfterCalls = mode == Mode.CONTENT && callCount > 0 && gapLength() == held.length();
        if (!gapAfterCalls) {
            emit(held.toString());
        }
        drop(held.length());
        return take();
    }

    /** Returns how many tool calls came out so far. */
    public int toolCallCount() {
        return callCount;
    }

    private OutputDelta take() {
        if (stream != null) {
            callDeltas.addAll(stream.take());
        }
        OutputDelta delta = new OutputDelta(content.toString(), reasoning.toString(), toolCalls, callDeltas);
        content.setLength(0);
        reasoning.setLength(0);
        toolCalls = new ArrayList<>();
        callDeltas = new ArrayList<>();
        return delta;
    }

    private void read(String text) {
        String rest = text;
        for (int i = 0; i < rest.length(); i++) {
            char c = rest.charAt(i);
            if (mode != Mode.CALL) {
                outsideCall(c);
                continue;
            }
            CallParser parser = requireNonNull(call);
            CallParser.State state = parser.accept(c);
            if (stream != null && state != CallParser.State.FAILED) {
                stream.accept(c);
            }
            if (state == CallParser.State.COMPLETE) {
                completeCalls(parser.calls());
            } else if (state == CallParser.State.FAILED && hasBegun()) {
                completeCalls(requireNonNull(stream).calls());
                rest = rest.substring(i);
                i = -1;
            } else if (state == CallParser.State.FAILED) {
                rest = withdrawCall(parser) + rest.substring(i + 1);
                i = -1;
            }
        }
    }

    private boolean hasBegun() {
        return stream != null && stream.callCount() > 0;
    }

    private void completeCalls(List<CallReader.Call> calls) {
        for (int i = 0; i < calls.size(); i++) {
            CallReader.Call read = calls.get(i);
            if (stream != null) {
                stream.complete(i, read.arguments());
            }
            toolCalls.add(ToolCall.newBuilder()
                    .setId(ToolCallIds.of(requestId, callCount++, format.toolCalls()))
                    .setName(read.name())
                    .setArgumentsJson(read.arguments())
                    .build());
        }
        endCall();
    }

    private void endCall() {
        if (stream != null) {
            callDeltas.addAll(stream.take());
        }
        stream = null;
        call = null;
        mode = Mode.CONTENT;
    }

    /** Lets a call's marker out as content; returns the text after it, which is to be read again. */
    private String withdrawCall(CallParser parser) {
        endCall();
        String text = parser.text();
        if (markedByBracket) {
            emit(beforeCall + text.charAt(0));
            return text.substring(1);
        }
        emit(beforeCall);
        return text;
    }

    private void outsideCall(char c) {
        if (skipsNewlines && c == '\n') {
            return;
        }
        skipsNewlines = false;
        held.append(c);
        while (held.length() > 0) {
            int gap = gapLength();
            String rest = held.substring(gap);
            if (isMarker(rest)) {
                begin(rest);
                return;
            }
            if (mayBecomeMarker(rest)) {
                return;
            }
            int certain = Math.min(gap + 1, held.length());
            emit(held.substring(0, certain));
            drop(certain);
        }
    }

    private void drop(int heldChars) {
        held.delete(0, heldChars);
        heldGap = 0;
    }

    /** Returns how much of the held text is white space, or what separates calls. */
    private int gapLength() {
        boolean separators = callCount > 0 && format.toolCalls() == ToolCallSyntax.LLAMA3_JSON;
        while (heldGap < held.length()
                && (Character.isWhitespace(held.charAt(heldGap)) || (separators && held.charAt(heldGap) == ';'))) {
            heldGap++;
        }
        return heldGap;
    }

    private List<String> markers() {
        if (mode == Mode.REASONING) {
            return List.of(THINK_END);
        }
        boolean thinks = format.reasoning() == Reasoning.TAGGED && !hasContent && callCount == 0 && !forced;
        List<String> markers = new ArrayList<>();
        if (thinks) {
            markers.add(THINK);
        }
        switch (format.toolCalls()) {
            case PLAIN -> {}
            case HERMES -> markers.add("<tool_call>");
            case MISTRAL -> markers.add("[TOOL_CALLS]");
            case LLAMA3_JSON -> {
                markers.add("<|python_tag|>");
                if (!hasContent) {
                    markers.add("{");
                }
            }
        }
        return markers;
    }

    private boolean isMarker(String text) {
        return markers().contains(text);
    }

    private boolean mayBecomeMarker(String text) {
        for (String marker : markers()) {
            if (marker.startsWith(text)) {
                return true;
            }
        }
        return false;
    }

    private void begin(String marker) {
        if (marker.equals(THINK) || marker.equals(THINK_END)) {
            mode = marker.equals(THINK) ? Mode.REASONING : Mode.CONTENT;
            skipsNewlines = true;
        } else {
            markedByBracket = marker.equals("{");
            mode = Mode.CALL;
            call = new CallParser(format.toolCalls(), toolNames, forced || callsCertain);
            stream = callsCertain ? new CallStream(format.toolCalls(), requestId, callCount) : null;
            beforeCall = markedByBracket ? held.substring(0, held.length() - 1) : held.toString();
            if (markedByBracket) {
                call.accept('{');
                if (stream != null) {
                    stream.accept('{');
                }
            }
        }
        drop(held.length());
    }

    private void emit(String text) {
        if (mode == Mode.REASONING) {
            reasoning.append(text);
        } else {
            content.append(text);
            hasContent |= !text.isBlank();
        }
    }
}
