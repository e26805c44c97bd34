package io.millrace.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.cluster.ClientTurn.Outcome;
import io.millrace.durability.TurnBook.TurnName;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.CancelRequest;
import io.millrace.proto.ChatRequest;
import io.millrace.proto.TokenChunk;
import io.millrace.proto.TurnFailed;
import io.millrace.proto.TurnFinished;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** A checker that finds nothing shows nothing: each defect here is one that a run could have. */
class RunCheckerTest {
    private static final String SESSION = "run-session-00";
    private static final TurnName WHOLE = new TurnName("session-00", "turn-00");
    private static final TurnName CUT = new TurnName("session-00", "turn-01");
    private static final List<Integer> TOKENS = List.of(5, 6, 7, 8);

    private final RunChecker checker = new RunChecker(List.of(
            turn(WHOLE, Outcome.ENDED, false, events("turn_a", 4, "length")),
            turn(CUT, Outcome.ENDED, false, events("turn_b", 4, "length"))));
    private final List<ClientTurn> clients = new ArrayList<>(List.of(
            turn(WHOLE, Outcome.ENDED, false, events("turn_a", 4, "length")),
            turn(CUT, Outcome.ENDED, true, events("turn_b", 2, "stop"))));
    private final List<AgentRequest> requests =
            new ArrayList<>(List.of(chat("turn_a"), chat("turn_b"), cancel("turn_b")));
    private final List<TokenChunk> chunks = new ArrayList<>();

    RunCheckerTest() {
        chunks.addAll(chunks("turn_a", 4, TurnFinished.Reason.LENGTH));
        chunks.addAll(chunks("turn_b", 2, TurnFinished.Reason.CANCELLED));
    }

    @Test
    void findsNothingWhereNothingIs() {
        assertThat(problems()).isEmpty();
    }

    @Test
    void letsARepetitionPass() {
        chunks.addAll(4, chunks.subList(1, 4));
        chunks.addAll(chunks("turn_a", 4, TurnFinished.Reason.LENGTH));
        requests.add(chat("turn_a"));
        assertThat(problems()).isEmpty();
    }

    @Test
    void letsTheEndOfACancelledTurnNameFewerTokens() {
        TokenChunk end = chunks.get(chunks.size() - 1);
        chunks.set(chunks.size() - 1, end.toBuilder().setOffset(1).build());
        assertThat(problems()).isEmpty();
    }

    @Test
    void letsACancelComeTooLate() {
        requests.remove(2);
        clients.set(1, turn(CUT, Outcome.ENDED, true, events("turn_b", 4, "length")));
        chunks.subList(5, chunks.size()).clear();
        chunks.addAll(chunks("turn_b", 4, TurnFinished.Reason.LENGTH));
        assertThat(problems()).isEmpty();
    }

    @Test
    void letsARefusalPass() {
        TurnName refused = new TurnName("session-01", "turn-00");
        clients.add(new ClientTurn(refused, SESSION, "", Outcome.REFUSED, "429", false, 1, List.of()));
        assertThat(problems()).isEmpty();
    }

    @Test
    void findsALostTurn() {
        replace(0, turn -> turn(WHOLE, Outcome.GIVEN_UP, false, turn.events().subList(0, 2)));
        assertProblem("did not end well");
    }

    @Test
    void findsAFailedTurn() {
        replace(0, turn -> turn(WHOLE, Outcome.FAILED, false, turn.events().subList(0, 2)));
        assertProblem("did not end well");
    }

    @Test
    void findsATokenTwiceAtAClient() {
        replace(0, turn -> withEvents(turn, events -> events.add(2, events.get(1))));
        assertProblem("twice or out of order");
    }

    @Test
    void findsAGapAtAClient() {
        replace(0, turn -> withEvents(turn, events -> events.remove(1)));
        assertProblem("has a gap");
    }

    @Test
    void findsTokensBehindTheEndAtAClient() {
        replace(1, turn -> withEvents(turn, events -> events.add(event("turn_b", 7, List.of(7), "", false))));
        assertProblem("tokens behind its end");
    }

    @Test
    void findsOtherTokens() {
        replace(0, turn -> withEvents(turn, events -> events.set(1, event("turn_a", 2, List.of(9), "", false))));
        assertProblem("instead of [5, 6, 7, 8]");
    }

    @Test
    void findsOtherTokensOfACancelledTurn() {
        replace(1, turn -> withEvents(turn, events -> events.set(1, event("turn_b", 2, List.of(9), "", false))));
        assertProblem("instead of part of");
    }

    @Test
    void findsAnotherReason() {
        replace(0, turn -> turn(WHOLE, Outcome.ENDED, false, events("turn_a", 4, "stop")));
        assertProblem("ends with stop instead of length");
    }

    @Test
    void findsAStreamThatBreaksOff() {
        replace(
                0,
                turn -> withEvents(
                        turn, events -> events.subList(4, events.size()).clear()));
        assertProblem("ended without a reason");
    }

    @Test
    void findsEventsOfAnotherTurn() {
        replace(0, turn -> withEvents(turn, events -> events.set(1, event("turn_b", 2, List.of(6), "", false))));
        assertProblem("event of another turn");
    }

    @Test
    void findsALostRequest() {
        requests.remove(0);
        assertProblem("is not in the topic of requests");
    }

    @Test
    void findsALostCancel() {
        requests.remove(2);
        assertProblem("no record says so");
    }

    @Test
    void findsATurnThatNobodyAskedFor() {
        chunks.addAll(chunks("turn_c", 1, TurnFinished.Reason.LENGTH));
        assertProblem("was not requested");
    }

    @Test
    void findsARequestThatRanTwiceUnderTwoNames() {
        requests.add(chat("turn_c"));
        chunks.addAll(chunks("turn_c", 4, TurnFinished.Reason.LENGTH));
        assertProblem("no client was told");
    }

    @Test
    void findsAGapInTheTopic() {
        chunks.remove(1);
        assertProblem("left out offsets");
    }

    @Test
    void findsARepetitionThatDiffers() {
        chunks.add(2, chunks.get(1).toBuilder().setTokenIds(0, 9).build());
        assertProblem("said first");
    }

    @Test
    void findsAMissingEndInTheTopic() {
        chunks.remove(4);
        assertProblem("has no end");
    }

    @Test
    void findsTwoEnds() {
        chunks.add(TokenChunk.newBuilder(chunks.get(4))
                .setFailed(TurnFailed.newBuilder().setCode("INTERNAL"))
                .build());
        assertProblem("a turn ended first with");
    }

    @Test
    void findsAChunkOfACancelledTurnBehindItsEnd() {
        chunks.add(chunk("turn_b", 2, 7));
        assertProblem("behind the last one");
    }

    @Test
    void findsAClientThatHasOtherTokensThanTheTopic() {
        replace(1, turn -> turn(CUT, Outcome.ENDED, true, events("turn_b", 3, "stop")));
        assertProblem("and its topic");
    }

    @Test
    void findsADeadLetter() {
        TopicRecords topics = new TopicRecords(requests, chunks, List.of("it is no message"));
        assertThat(checker.problems(clients, topics)).singleElement().asString().contains("it is no message");
    }

    private List<String> problems() {
        return checker.problems(clients, new TopicRecords(requests, chunks, List.of()));
    }

    private void assertProblem(String text) {
        assertThat(problems()).anyMatch(problem -> problem.contains(text));
    }

    private void replace(int index, UnaryOperator<ClientTurn> change) {
        clients.set(index, change.apply(clients.get(index)));
    }

    private static ClientTurn withEvents(ClientTurn turn, java.util.function.Consumer<List<TurnEvent>> change) {
        List<TurnEvent> events = new ArrayList<>(turn.events());
        change.accept(events);
        return turn(turn.asked(), turn.outcome(), turn.cancelled(), events);
    }

    private static ClientTurn turn(TurnName asked, Outcome outcome, boolean cancelled, List<TurnEvent> events) {
        String turnId = asked.equals(WHOLE) ? "turn_a" : "turn_b";
        return new ClientTurn(asked, SESSION, turnId, outcome, "", cancelled, 1, events);
    }

    private static List<TurnEvent> events(String turnId, int tokens, String reason) {
        List<TurnEvent> events = new ArrayList<>();
        for (int i = 0; i < tokens; i++) {
            events.add(event(turnId, i + 1, List.of(TOKENS.get(i)), "", false));
        }
        events.add(event(turnId, tokens + 2, List.of(), reason, false));
        events.add(event(turnId, tokens + 4, List.of(), "", true));
        return events;
    }

    private static TurnEvent event(String turnId, int position, List<Integer> tokens, String reason, boolean done) {
        return new TurnEvent(0, turnId, position, tokens, "", reason, done);
    }

    private static AgentRequest chat(String turnId) {
        return AgentRequest.newBuilder()
                .setSessionId(SESSION)
                .setRequestId(turnId)
                .setChat(ChatRequest.getDefaultInstance())
                .build();
    }

    private static AgentRequest cancel(String turnId) {
        return chat(turnId).toBuilder()
                .setCancel(CancelRequest.getDefaultInstance())
                .build();
    }

    private static List<TokenChunk> chunks(String turnId, int tokens, TurnFinished.Reason reason) {
        List<TokenChunk> chunks = new ArrayList<>();
        for (int i = 0; i < tokens; i++) {
            chunks.add(chunk(turnId, i, TOKENS.get(i)));
        }
        chunks.add(TokenChunk.newBuilder()
                .setSessionId(SESSION)
                .setRequestId(turnId)
                .setOffset(tokens)
                .setFinished(TurnFinished.newBuilder().setReason(reason))
                .build());
        return chunks;
    }

    private static TokenChunk chunk(String turnId, int offset, int token) {
        return TokenChunk.newBuilder()
                .setSessionId(SESSION)
                .setRequestId(turnId)
                .setOffset(offset)
                .addTokenIds(token)
                .build();
    }
}
