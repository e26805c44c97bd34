package io.millrace.cluster;

import io.millrace.durability.TurnBook.TurnName;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.TurnFinished.Reason;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * The chunks of turns of which a record says that they are cancelled. Their tokens are checked as any turn's are: no
 * gap, equal where they are repeated, none behind the end. But where such a turn ends depends on when its cancel
 * arrives, and that may be earlier when it is read again after a failure: so its end may name fewer tokens than were
 * sent, and a turn that had ended by itself may be said to be cancelled after that. Readers keep the first end, and the
 * tokens they have.
 */
final class CancelledPages {
    private final Map<TurnName, Page> pages = new HashMap<>();
    private final Consumer<String> problems;

    private static final class Page {
        private final List<Integer> tokens = new ArrayList<>();
        private boolean ended;
    }

    CancelledPages(Consumer<String> problems) {
        this.problems = problems;
    }

    void add(TokenChunk chunk) {
        TurnName name = new TurnName(chunk.getSessionId(), chunk.getRequestId());
        Page page = pages.computeIfAbsent(name, any -> new Page());
        if (chunk.getOffset() > page.tokens.size()) {
            problems.accept("topic: a chunk left out offsets from " + page.tokens.size() + " on: " + chunk);
            return;
        }
        for (int i = 0; i < chunk.getTokenIdsCount(); i++) {
            token(page, chunk, chunk.getOffset() + i, chunk.getTokenIds(i));
        }
        if (chunk.hasFailed()) {
            problems.accept("topic: a cancelled turn failed: " + chunk);
        } else if (chunk.hasFinished() && page.ended && chunk.getOffset() < page.tokens.size()) {
            if (chunk.getFinished().getReason() != Reason.CANCELLED) {
                problems.accept("topic: a turn ended again, and not by its cancel: " + chunk);
            }
        }
        page.ended |= chunk.hasFinished();
    }

    private void token(Page page, TokenChunk chunk, int index, int token) {
        if (index < page.tokens.size()) {
            if (page.tokens.get(index) != token) {
                problems.accept("topic: a chunk said first " + page.tokens.get(index) + " and then " + chunk);
            }
        } else if (page.ended) {
            problems.accept("topic: a chunk came behind the last one: " + chunk);
        } else {
            page.tokens.add(token);
        }
    }

    boolean hasEnded(TurnName name) {
        Page page = pages.get(name);
        return page != null && page.ended;
    }

    List<Integer> tokens(TurnName name) {
        Page page = pages.get(name);
        return page == null ? List.of() : page.tokens;
    }
}
