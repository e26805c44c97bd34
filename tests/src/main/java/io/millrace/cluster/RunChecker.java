package io.millrace.cluster;

import io.millrace.cluster.ClientTurn.Outcome;
import io.millrace.durability.TurnBook;
import io.millrace.durability.TurnBook.TurnName;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.TokenChunk;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Checks what clients and topics have recorded of a run against each other, and against a run that nothing disturbed.
 * Every accepted request ends once; a turn's offsets have no gap, and what is repeated is equal; every reader's tokens
 * are the undisturbed run's, and none comes twice; a cancelled turn says nothing after its end; what was accepted is
 * there.
 */
public final class RunChecker {
    private static final int FINISH = 2;
    private static final int DONE = 4;
    /** Enough to see what is wrong. */
    private static final int PROBLEMS_MAX = 40;

    private final Map<TurnName, ClientTurn> undisturbed = new HashMap<>();
    private final List<String> problems = new ArrayList<>();

    /** A checker against what clients recorded when nothing was disturbed, and nothing cancelled. */
    public RunChecker(List<ClientTurn> undisturbed) {
        undisturbed.forEach(turn -> this.undisturbed.put(turn.asked(), turn));
    }

    /**
     * What is wrong with a run; empty if all is well.
     *
     * @param clients all turns of the run
     * @param topics the records of the run's sessions
     */
    public List<String> problems(List<ClientTurn> clients, TopicRecords topics) {
        problems.clear();
        Set<TurnName> asked = new LinkedHashSet<>();
        for (ClientTurn turn : clients) {
            if (!asked.add(turn.asked())) {
                note(turn, "was recorded twice");
            }
            checkClient(turn);
        }
        checkTopics(clients, topics);
        return List.copyOf(problems);
    }

    private void checkClient(ClientTurn turn) {
        if (turn.outcome() != Outcome.ENDED) {
            // A refusal is an answer too, as long as nothing of the turn was promised before.
            if (turn.accepted() || turn.outcome() != Outcome.REFUSED) {
                note(turn, "did not end well: " + turn.outcome() + ", " + turn.detail());
            }
            return;
        }
        checkEvents(turn);
        ClientTurn expected = undisturbed.get(turn.asked());
        if (expected == null) {
            note(turn, "was not in the undisturbed run");
            return;
        }
        List<Integer> tokens = turn.tokens();
        if (turn.cancelled()) {
            if (!isPrefix(tokens, expected.tokens())) {
                note(turn, "is cancelled and says " + tokens + " instead of part of " + expected.tokens());
            }
        } else if (!tokens.equals(expected.tokens())) {
            note(turn, "says " + tokens + " instead of " + expected.tokens());
        } else if (!turn.content().equals(expected.content())) {
            note(turn, "has the right tokens, and another text: " + turn.content());
        } else if (!finishReason(turn).equals(finishReason(expected))) {
            note(turn, "ends with " + finishReason(turn) + " instead of " + finishReason(expected));
        }
    }

    /** A reader's events: tokens without gap or repetition, then the reason, then the end, and nothing after it. */
    private void checkEvents(ClientTurn turn) {
        int position = 0;
        int tokens = 0;
        boolean finished = false;
        for (TurnEvent event : turn.events()) {
            int count = event.tokenIds().size();
            if (!event.turnId().equals(turn.turnId())) {
                note(turn, "has an event of another turn: " + event);
            } else if (event.position() <= position) {
                note(turn, "has an event twice or out of order: " + event.id() + " behind " + position);
            } else if (count > 0 && finished) {
                note(turn, "has tokens behind its end: " + event);
            } else if (count > 0 && event.position() - count != tokens) {
                note(turn, "has a gap: " + event.id() + " brings " + count + " behind " + tokens);
            } else if (!event.finishReason().isEmpty() && event.position() != tokens + FINISH) {
                note(turn, "ends at " + event.id() + " behind " + tokens + " tokens");
            } else if (event.done() && (!finished || event.position() != tokens + DONE)) {
                note(turn, "is done at " + event.id() + " behind " + tokens + " tokens");
            }
            position = event.position();
            tokens += count;
            finished |= !event.finishReason().isEmpty();
        }
        if (!finished) {
            note(turn, "ended without a reason");
        }
    }

    private void checkTopics(List<ClientTurn> clients, TopicRecords topics) {
        topics.deadLetters().forEach(reason -> add("a dead letter: " + reason));
        Set<TurnName> requested = new LinkedHashSet<>();
        Set<TurnName> cancelled = new LinkedHashSet<>();
        for (AgentRequest request : topics.requests()) {
            TurnName name = new TurnName(request.getSessionId(), request.getRequestId());
            if (request.hasChat()) {
                requested.add(name);
            } else if (request.hasCancel()) {
                cancelled.add(name);
            }
        }
        Map<TurnName, ClientTurn> known = new HashMap<>();
        clients.stream().filter(ClientTurn::accepted).forEach(turn -> known.put(turn.jobName(), turn));
        for (ClientTurn turn : known.values()) {
            if (!requested.contains(turn.jobName())) {
                note(turn, "was accepted, and is not in the topic of requests");
            } else if (turn.cancelled() && !cancelled.contains(turn.jobName()) && !isWhole(turn)) {
                note(turn, "was cancelled, and no record says so");
            }
        }
        requested.stream()
                .filter(name -> !known.containsKey(name))
                .forEach(name -> add(name + " was requested, and no client was told that it was accepted"));
        try (TurnBook book = TurnBook.open("audit-" + System.identityHashCode(this))) {
            CancelledPages pages = new CancelledPages(this::add);
            for (TokenChunk chunk : topics.chunks()) {
                TurnName name = new TurnName(chunk.getSessionId(), chunk.getRequestId());
                if (!requested.contains(name)) {
                    add("a chunk of a turn that was not requested: " + chunk);
                }
                if (cancelled.contains(name)) {
                    pages.add(chunk);
                } else {
                    book.add(chunk);
                }
            }
            book.problems().forEach(problem -> add("topic: " + problem));
            Map<TurnName, List<Integer>> tokens = book.tokens();
            for (TurnName name : requested) {
                boolean isCancelled = cancelled.contains(name);
                if (!(isCancelled ? pages.hasEnded(name) : book.hasEnded(name))) {
                    add("topic: " + name + " has no end");
                }
                compare(known.get(name), isCancelled ? pages.tokens(name) : tokens.getOrDefault(name, List.of()));
            }
        }
    }

    /** A client of a cancelled turn may have been told of its end before it had all that was sent. */
    private void compare(@Nullable ClientTurn turn, @Nullable List<Integer> sent) {
        if (turn != null && turn.outcome() == Outcome.ENDED && sent != null) {
            boolean fits = turn.cancelled()
                    ? isPrefix(turn.tokens(), sent)
                    : turn.tokens().equals(sent);
            if (!fits) {
                note(turn, "says " + turn.tokens() + " and its topic " + sent);
            }
        }
    }

    private boolean isWhole(ClientTurn turn) {
        ClientTurn expected = undisturbed.get(turn.asked());
        return expected != null && turn.tokens().equals(expected.tokens());
    }

    private static boolean isPrefix(List<Integer> part, List<Integer> whole) {
        return part.size() <= whole.size() && whole.subList(0, part.size()).equals(part);
    }

    private static String finishReason(ClientTurn turn) {
        return turn.events().stream()
                .map(TurnEvent::finishReason)
                .filter(reason -> !reason.isEmpty())
                .findFirst()
                .orElse("");
    }

    private void note(ClientTurn turn, String problem) {
        add(turn.asked() + " (" + turn.session() + " " + turn.turnId() + ") " + problem);
    }

    private void add(String problem) {
        if (problems.size() < PROBLEMS_MAX) {
            problems.add(problem);
        }
    }
}
