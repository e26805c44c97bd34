package io.millrace.text.output;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.proto.ToolCallDelta;
import io.millrace.text.output.OutputFormat.ToolCallSyntax;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Takes calls apart while they are written: a call's name as soon as its arguments begin, then every character of them.
 * For calls that a constraint holds to their form, name before arguments: what is said of them cannot be withdrawn.
 */
final class CallStream {
    /** A name and what is around it. A longer one is not followed: the call then comes whole. */
    private static final int MAX_HEAD_CHARS = 1_024;

    private static final Pattern OBJECT_HEAD = Pattern.compile(
            "\\{\\s*\"name\"\\s*:\\s*(\"(?:[^\"\\\\]|\\\\.)*+\")\\s*,\\s*\"(?:arguments|parameters)\"\\s*:\\s*\\{$");
    private static final Pattern NAMED_HEAD = Pattern.compile("^\\s*([^\\[\\]{}\"]+?)\\s*(?:\\[ARGS])?\\s*\\{$");
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /** A call that has begun. */
    private static final class Begun {
        private final String id;
        private final String name;
        private final StringBuilder arguments = new StringBuilder();
        private boolean announced;
        private int taken;

        Begun(String id, String name) {
            this.id = id;
            this.name = name;
        }
    }

    private final ToolCallSyntax syntax;
    private final String requestId;
    private final int firstIndex;
    private final List<Begun> calls = new ArrayList<>();
    private final StringBuilder head = new StringBuilder();
    private @Nullable JsonScanner arguments;
    private boolean lost;

    /** @param firstIndex index in the turn of the first call that follows */
    CallStream(ToolCallSyntax syntax, String requestId, int firstIndex) {
        this.syntax = syntax;
        this.requestId = requestId;
        this.firstIndex = firstIndex;
    }

    /** Takes the next character behind the calls' marker. */
    void accept(char c) {
        if (lost) {
            return;
        }
        JsonScanner scanner = arguments;
        if (scanner != null) {
            calls.get(calls.size() - 1).arguments.append(c);
            JsonScanner.State state = scanner.accept(c);
            if (state != JsonScanner.State.OPEN) {
                arguments = null;
                lost = state == JsonScanner.State.BROKEN;
            }
            return;
        }
        head.append(c);
        String name = c == '{' ? name() : null;
        if (name != null) {
            calls.add(new Begun(ToolCallIds.of(requestId, firstIndex + calls.size(), syntax), name));
            calls.get(calls.size() - 1).arguments.append(c);
            arguments = new JsonScanner();
            arguments.accept(c);
            head.setLength(0);
        } else if (head.length() > MAX_HEAD_CHARS) {
            lost = true;
        }
    }

    private @Nullable String name() {
        Matcher object = OBJECT_HEAD.matcher(head);
        if (object.find()) {
            return unquoted(object.group(1));
        }
        Matcher named = syntax == ToolCallSyntax.MISTRAL ? NAMED_HEAD.matcher(head) : null;
        return named != null && named.find() ? named.group(1) : null;
    }

    private static @Nullable String unquoted(String json) {
        try {
            return MAPPER.readValue(json, String.class);
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    /** How many calls have begun. */
    int callCount() {
        return calls.size();
    }

    /** The calls that have begun, as far as they are written. */
    List<CallReader.Call> calls() {
        return calls.stream()
                .map(call -> new CallReader.Call(call.name, call.arguments.toString()))
                .toList();
    }

    /** Says what a call's arguments are at its end, where brackets were added to them. */
    void complete(int call, String whole) {
        if (call < calls.size() && whole.startsWith(calls.get(call).arguments.toString())) {
            StringBuilder text = calls.get(call).arguments;
            text.append(whole, text.length(), whole.length());
        }
    }

    /** What has come since this was called last. */
    List<ToolCallDelta> take() {
        List<ToolCallDelta> deltas = new ArrayList<>();
        for (int i = 0; i < calls.size(); i++) {
            Begun call = calls.get(i);
            if (call.announced && call.taken == call.arguments.length()) {
                continue;
            }
            ToolCallDelta.Builder delta = ToolCallDelta.newBuilder()
                    .setIndex(firstIndex + i)
                    .setArguments(call.arguments.substring(call.taken));
            if (!call.announced) {
                delta.setId(call.id).setName(call.name);
            }
            call.announced = true;
            call.taken = call.arguments.length();
            deltas.add(delta.build());
        }
        return deltas;
    }
}
