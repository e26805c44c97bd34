package io.millrace.gateway;

import static io.millrace.gateway.ByteBuilder.utf8;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.millrace.proto.ToolCall;
import io.millrace.proto.ToolCallDelta;
import io.millrace.proto.TurnFinished;
import java.util.List;

/** The parts of OpenAI's chat completion objects that events and whole answers share. */
final class CompletionJson {
    private static final byte[] STOP = utf8("\"stop\"");
    private static final byte[] LENGTH = utf8("\"length\"");
    private static final byte[] TOOL_CALLS = utf8("\"tool_calls\"");
    // There is no OpenAI word for it, and clients with closed sets of words fail on others.
    private static final byte[] CANCELLED = utf8("\"stop\",\"stop_reason\":\"cancelled\"");
    private static final byte[] CLOSED = utf8("\"stop\",\"stop_reason\":\"closed\"");

    private CompletionJson() {}

    /** The fields that begin every object of a turn. */
    static String head(String turnId, String object, AnswerShape shape) {
        return "\"id\":\"chatcmpl-" + escape(turnId) + "\",\"object\":\"" + object + "\",\"created\":"
                + shape.createdSeconds() + ",\"model\":\"" + escape(shape.model()) + "\"";
    }

    /** The value of a finish reason's field, with the fields that explain it. */
    static byte[] finishReason(TurnFinished finished) {
        return switch (finished.getReason()) {
            case LENGTH -> LENGTH;
            case TOOL_CALLS -> TOOL_CALLS;
            case CANCELLED -> CANCELLED;
            case CLOSED -> CLOSED;
            case STOP, REASON_UNSPECIFIED, UNRECOGNIZED -> STOP;
        };
    }

    /** The field {@code tool_calls} of a whole message. */
    static void toolCalls(List<ToolCall> calls, ByteBuilder out) {
        out.append(utf8("\"tool_calls\":["));
        for (int i = 0; i < calls.size(); i++) {
            ToolCall call = calls.get(i);
            out.append(utf8(i == 0 ? "{" : ",{"));
            callHead(call.getId(), call.getName(), out);
            out.append(utf8("\"arguments\":"))
                    .appendQuoted(call.getArgumentsJson())
                    .append(utf8("}}"));
        }
        out.append(utf8("]"));
    }

    /** The field {@code tool_calls} of a delta: only a call's first piece says what is called. */
    static void toolCallDeltas(List<ToolCallDelta> deltas, ByteBuilder out) {
        out.append(utf8("\"tool_calls\":["));
        for (int i = 0; i < deltas.size(); i++) {
            ToolCallDelta delta = deltas.get(i);
            out.append(utf8(i == 0 ? "{" : ",{"));
            out.append(utf8("\"index\":")).append(delta.getIndex()).append(utf8(","));
            if (delta.getId().isEmpty()) {
                out.append(utf8("\"function\":{"));
            } else {
                callHead(delta.getId(), delta.getName(), out);
            }
            out.append(utf8("\"arguments\":"))
                    .appendQuoted(delta.getArguments())
                    .append(utf8("}}"));
        }
        out.append(utf8("]"));
    }

    private static void callHead(String id, String name, ByteBuilder out) {
        out.append(utf8("\"id\":")).appendQuoted(id);
        out.append(utf8(",\"type\":\"function\",\"function\":{\"name\":"))
                .appendQuoted(name)
                .append(utf8(","));
    }

    static void usage(TurnFinished finished, ByteBuilder out) {
        int promptTokens = finished.getPromptTokens();
        int completionTokens = finished.getCompletionTokens();
        out.append(utf8("{\"prompt_tokens\":")).append(promptTokens);
        out.append(utf8(",\"completion_tokens\":")).append(completionTokens);
        out.append(utf8(",\"total_tokens\":")).append(promptTokens + completionTokens);
        out.append(utf8(",\"prompt_tokens_details\":{\"cached_tokens\":"))
                .append(Math.max(0, finished.getCachedTokens()))
                .append(utf8("}}"));
    }

    static void tokenIds(List<Integer> tokenIds, ByteBuilder out) {
        out.append(utf8("["));
        for (int i = 0; i < tokenIds.size(); i++) {
            out.append(utf8(i == 0 ? "" : ",")).append(tokenIds.get(i).intValue());
        }
        out.append(utf8("]"));
    }

    /** The field {@code nvext} with a comma before it, of what the client asked for; nothing if that is nothing. */
    static void extras(TurnFinished finished, List<Integer> tokenIds, AnswerShape shape, ByteBuilder out) {
        String separator = ",\"nvext\":{";
        if (shape.wantsTiming()) {
            out.append(utf8(separator + "\"timing\":{\"ttft_ms\":" + finite(finished.getTtftMs()) + ",\"itl_ms\":"
                    + finite(finished.getItlMs()) + "}"));
            separator = ",";
        }
        if (shape.wantsStopReason()) {
            out.append(utf8(separator + "\"stop_reason\":"));
            if (finished.getStopReason().isEmpty()) {
                out.append(utf8("null"));
            } else {
                out.appendQuoted(finished.getStopReason());
            }
            separator = ",";
        }
        if (shape.wantsTokenIds() && !tokenIds.isEmpty()) {
            out.append(utf8(separator + "\"token_ids\":"));
            tokenIds(tokenIds, out);
            separator = ",";
        }
        if (separator.equals(",")) {
            out.append(utf8("}"));
        }
    }

    private static String finite(double value) {
        return Double.isFinite(value) ? Double.toString(value) : "null";
    }

    private static String escape(String text) {
        return new String(JsonStringEncoder.getInstance().quoteAsString(text));
    }
}
