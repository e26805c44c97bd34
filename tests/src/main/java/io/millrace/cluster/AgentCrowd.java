package io.millrace.cluster;

import static java.util.Objects.requireNonNull;

import io.millrace.cluster.ClientTurn.Outcome;
import io.millrace.durability.AgentScript;
import io.millrace.durability.TurnBook.TurnName;
import io.millrace.proto.AgentRequest;
import io.millrace.proto.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Agents that follow a script at the gateways of a cluster, a thread each: every one asks, reads its answer, thinks for
 * a while, and asks again. Some turns are cancelled by their agents, where the crowd is told to; neither then nor else
 * does a session go on with the answer of such a turn, so that what the sessions say does not depend on when a cancel
 * arrives.
 */
public final class AgentCrowd implements AutoCloseable {
    /** Far above what a script's turn can have. */
    private static final int NEVER = Integer.MAX_VALUE;

    private final AgentScript script;
    private final RecordingClient client;
    private final Plan plan;
    private final List<Thread> threads = new ArrayList<>();
    private final List<ClientTurn> turns = new ArrayList<>();
    private final AtomicLong tokens = new AtomicLong();
    private volatile boolean ending;

    /**
     * How a script is played.
     *
     * @param prefix what all sessions' names of this run begin with
     * @param seed decides how long agents think
     * @param thinkMsMax the longest that an agent thinks
     * @param cancels whether turns are cancelled
     */
    public record Plan(String prefix, long seed, int thinkMsMax, boolean cancels) {
        /** Checks that there are no nulls. */
        public Plan {
            requireNonNull(prefix, "prefix");
        }
    }

    private AgentCrowd(AgentScript script, RecordingClient client, Plan plan) {
        this.script = requireNonNull(script, "script");
        this.client = requireNonNull(client, "client");
        this.plan = requireNonNull(plan, "plan");
    }

    /** Starts all agents. */
    public static AgentCrowd start(AgentScript script, RecordingClient client, Plan plan) {
        AgentCrowd crowd = new AgentCrowd(script, client, plan);
        for (int session = 0; session < script.sessions(); session++) {
            int index = session;
            Thread thread = new Thread(() -> crowd.follow(index), "agent-" + index);
            thread.setDaemon(true);
            crowd.threads.add(thread);
        }
        crowd.threads.forEach(Thread::start);
        return crowd;
    }

    /** Turns that have come to an end of any kind, in the order of their ends. */
    public synchronized List<ClientTurn> turns() {
        return List.copyOf(turns);
    }

    /** Tokens of the turns that have come to an end. */
    public long tokens() {
        return tokens.get();
    }

    /** Agents ask nothing more when they have their answers. */
    public void endSoon() {
        ending = true;
    }

    /** Whether all agents are through with their script. */
    public boolean isDone() {
        return threads.stream().noneMatch(Thread::isAlive);
    }

    /** Waits until all agents are through with their script; returns whether they are. */
    public boolean await(long seconds) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        for (Thread thread : threads) {
            thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
        }
        return isDone();
    }

    /** Whether a script's turn is one of those that are cancelled, and whose answer no session goes on with. */
    static boolean isCancelled(int session, int turn) {
        return (session + 2 * turn) % 5 == 4;
    }

    private void follow(int session) {
        Random random = new Random(plan.seed() * 1_000 + session);
        List<ChatMessage> messages = new ArrayList<>(List.of(script.system(session)));
        try {
            for (int turn = 0; turn < script.turns() && !ending; turn++) {
                Thread.sleep(random.nextInt(plan.thinkMsMax() + 1));
                List<ChatMessage> asked = new ArrayList<>(messages);
                asked.add(script.question(session, turn));
                ClientTurn said = client.run(wish(session, turn, asked));
                add(said);
                if (said.outcome() != Outcome.ENDED) {
                    return;
                }
                if (!isCancelled(session, turn)) {
                    asked.add(ChatMessage.newBuilder()
                            .setRole("assistant")
                            .setContent(said.content())
                            .build());
                    messages = asked;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private RecordingClient.Wish wish(int session, int turn, List<ChatMessage> messages) {
        AgentRequest request = script.request(session, turn, messages);
        TurnName asked = new TurnName(request.getSessionId(), request.getRequestId());
        int cancelAt = plan.cancels() && isCancelled(session, turn)
                ? 1 + (session + turn) % Math.max(1, script.minTokens())
                : NEVER;
        return new RecordingClient.Wish(
                asked, plan.prefix() + request.getSessionId(), ChatBody.of(request), session + turn, cancelAt);
    }

    private synchronized void add(ClientTurn turn) {
        turns.add(turn);
        tokens.addAndGet(turn.tokens().size());
    }

    @Override
    public void close() throws InterruptedException {
        threads.forEach(Thread::interrupt);
        for (Thread thread : threads) {
            thread.join(TimeUnit.SECONDS.toMillis(1));
        }
    }
}
