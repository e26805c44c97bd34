package io.millrace.gateway;

import java.util.ArrayList;
import java.util.List;

/** One server-sent event as the standard reads it; absent fields are empty. Comments are no events. */
record SseEvent(String id, String event, String data) {
    /** Parses a stream, which must end with the end of an event. */
    static List<SseEvent> parse(String text) {
        List<SseEvent> events = new ArrayList<>();
        if (text.isEmpty()) {
            return events;
        }
        if (!text.endsWith("\n\n")) {
            throw new AssertionError(
                    "the stream ends within an event: …" + text.substring(Math.max(0, text.length() - 200)));
        }
        for (String block : text.split("\n\n")) {
            String id = "";
            String event = "";
            String data = "";
            boolean comment = true;
            for (String line : block.split("\n")) {
                if (line.startsWith(":")) {
                    continue;
                }
                comment = false;
                if (line.startsWith("id: ")) {
                    id = line.substring(4);
                } else if (line.startsWith("event: ")) {
                    event = line.substring(7);
                } else if (line.startsWith("data: ")) {
                    data += line.substring(6);
                } else {
                    throw new AssertionError("no line of an event: " + line);
                }
            }
            if (!comment) {
                events.add(new SseEvent(id, event, data));
            }
        }
        return events;
    }

    boolean isDone() {
        return data.equals("[DONE]");
    }

    int position() {
        return Integer.parseInt(id.substring(id.lastIndexOf(':') + 1));
    }
}
