package io.millrace.gateway;

import static io.millrace.gateway.ByteBuilder.utf8;

import io.millrace.proto.TokenChunk;
import io.millrace.proto.ToolCall;
import io.millrace.proto.ToolCallDelta;
import io.millrace.proto.TurnFinished;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Writes a turn's chunks as the events of one reader. Every chunk that shows something is one event, whatever the
 * reader's pace, so that a turn read in two parts has the bytes of a turn read in one.
 *
 * <p>An event's position is the number of tokens that a reader has who has read up to it. At the end of a turn of n
 * tokens there are events without tokens of their own: n + 1 is text that was held back till the end, n + 2 the finish
 * reason, n + 3 the usage, n + 4 {@code [DONE]}.
 */
final class ChatEvents {
    private static final int FLUSH = 1;
    private static final int FINISH = 2;
    private static final int USAGE = 3;
    private static final int DONE = 4;

    private static final byte[] ID = utf8("id: ");
    private static final byte[] ROLE = utf8("\"role\":\"assistant\"");
    private static final byte[] CONTENT = utf8("\"content\":");
    private static final byte[] REASONING = utf8("\"reasoning_content\":");
    private static final byte[] NULL = utf8("null");
    private static final byte[] COMMA = utf8(",");
    private static final byte[] END_CHOICE = utf8("}]");

    private final AnswerShape shape;
    private final int resumeAfter;
    private final byte[] eventStart;
    private final byte[] dataStart;
    private final byte[] usageStart;
    private final byte[] deltaEnd;
    private final byte[] eventEnd;

    /** Calls that are complete. */
    private int toolCallCount;

    /** The calls that came in pieces, by their index. */
    private final BitSet streamedCalls = new BitSet();

    /** @param resumeAfter position of the last event that the reader has; 0 for none */
    ChatEvents(String turnId, AnswerShape shape, int resumeAfter) {
        this.shape = shape;
        this.resumeAfter = resumeAfter;
        String head = "{" + CompletionJson.head(turnId, "chat.completion.chunk", shape) + ",\"choices\":[";
        this.eventStart = utf8(turnId + ":");
        this.dataStart = utf8("\ndata: " + head + "{\"index\":0,\"delta\":{");
        this.usageStart = utf8("\ndata: " + head + "],\"usage\":");
        this.deltaEnd = utf8("},\"logprobs\":null,\"finish_reason\":");
        this.eventEnd = utf8((shape.includeUsage() ? ",\"usage\":null" : "") + "}\n\n");
    }

    /** Appends what a chunk adds to the reader's events: nothing if there is nothing to see that it has not seen. */
    void append(TokenChunk chunk, boolean first, ByteBuilder out) {
        int tokenCount = chunk.getTokenIdsCount();
        int end = chunk.getOffset() + tokenCount;
        List<ToolCallDelta> calls = shownCalls(chunk);
        boolean shows = first
                || !chunk.getContent().isEmpty()
                || !chunk.getReasoningContent().isEmpty()
                || !calls.isEmpty()
                || (shape.wantsTokenIds() && tokenCount > 0);
        int position = tokenCount > 0 ? end : end + FLUSH;
        boolean failsAtOnce =
                chunk.hasFailed() && tokenCount == 0 && chunk.getContent().isEmpty();
        if (shows && !failsAtOnce && position > resumeAfter) {
            if (tokenCount > 0 && chunk.getOffset() < resumeAfter) {
                throw JsonFields.refuse("Last-Event-ID", "names no event of the turn: " + resumeAfter);
            }
            delta(chunk, first, calls, position, out);
        }
        toolCallCount += chunk.getToolCallsCount();
        if (chunk.hasFinished()) {
            finish(chunk.getFinished(), end, out);
        } else if (chunk.hasFailed()) {
            error(Failure.of(chunk.getFailed()), out);
        }
    }

    /** Appends the event that ends a stream early. It has no id: who resumes the stream is told again. */
    static void error(Failure failure, ByteBuilder out) {
        out.append(utf8("event: error\ndata: "))
                .append(ErrorResponses.body(failure))
                .append(utf8("\n\n"));
    }

    /** The pieces of calls to show: those that came as such, and as one piece each call that came whole. */
    private List<ToolCallDelta> shownCalls(TokenChunk chunk) {
        if (chunk.getToolCallsCount() == 0 && chunk.getToolCallDeltasCount() == 0) {
            return List.of();
        }
        List<ToolCallDelta> shown = new ArrayList<>();
        for (ToolCallDelta delta : chunk.getToolCallDeltasList()) {
            streamedCalls.set(delta.getIndex());
            addShown(delta, shown);
        }
        for (int i = 0; i < chunk.getToolCallsCount(); i++) {
            int index = toolCallCount + i;
            if (!streamedCalls.get(index)) {
                ToolCall call = chunk.getToolCalls(i);
                addShown(
                        ToolCallDelta.newBuilder()
                                .setIndex(index)
                                .setId(call.getId())
                                .setName(call.getName())
                                .setArguments(call.getArgumentsJson())
                                .build(),
                        shown);
            }
        }
        return shown;
    }

    private void addShown(ToolCallDelta delta, List<ToolCallDelta> shown) {
        if (delta.getIndex() == 0 || !shape.singleToolCall()) {
            shown.add(delta);
        }
    }

    private void delta(TokenChunk chunk, boolean first, List<ToolCallDelta> calls, int position, ByteBuilder out) {
        out.append(ID).append(eventStart).append(position).append(dataStart);
        boolean more = false;
        if (first) {
            out.append(ROLE);
            more = true;
        }
        if (!chunk.getReasoningContent().isEmpty()) {
            out.append(more ? COMMA : utf8("")).append(REASONING).appendQuoted(chunk.getReasoningContent());
            more = true;
        }
        boolean bare = calls.isEmpty() && chunk.getReasoningContent().isEmpty();
        if (!chunk.getContent().isEmpty() || (first && bare)) {
            out.append(more ? COMMA : utf8("")).append(CONTENT).appendQuoted(chunk.getContent());
            more = true;
        } else if (first) {
            out.append(COMMA).append(CONTENT).append(NULL);
        }
        if (!calls.isEmpty()) {
            out.append(more ? COMMA : utf8(""));
            CompletionJson.toolCallDeltas(calls, out);
        }
        out.append(deltaEnd).append(NULL).append(END_CHOICE);
        if (shape.wantsTokenIds() && chunk.getTokenIdsCount() > 0) {
            out.append(utf8(",\"nvext\":{\"token_ids\":"));
            CompletionJson.tokenIds(chunk.getTokenIdsList(), out);
            out.append(utf8("}"));
        }
        out.append(eventEnd);
    }

    private void finish(TurnFinished finished, int turnTokens, ByteBuilder out) {
        // Where a cancel ends a turn is no function of its request: after a failure it may end before the place that
        // this reader had come to. The reader keeps what it has and is told of the end, perhaps again.
        boolean cancelled = finished.getReason() == TurnFinished.Reason.CANCELLED;
        int tokenCount = cancelled ? Math.max(turnTokens, resumeAfter) : turnTokens;
        if (resumeAfter > tokenCount + DONE) {
            throw JsonFields.refuse("Last-Event-ID", "is past the end of the turn: " + resumeAfter);
        }
        if (resumeAfter < tokenCount + FINISH) {
            out.append(ID).append(eventStart).append(tokenCount + FINISH).append(dataStart);
            out.append(deltaEnd).append(CompletionJson.finishReason(finished)).append(END_CHOICE);
            CompletionJson.extras(finished, List.of(), shape, out);
            out.append(eventEnd);
        }
        if (shape.includeUsage() && resumeAfter < tokenCount + USAGE) {
            out.append(ID).append(eventStart).append(tokenCount + USAGE).append(usageStart);
            CompletionJson.usage(finished, out);
            out.append(utf8("}\n\n"));
        }
        if (resumeAfter < tokenCount + DONE) {
            out.append(ID).append(eventStart).append(tokenCount + DONE).append(utf8("\ndata: [DONE]\n\n"));
        }
    }
}
