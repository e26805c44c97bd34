package io.millrace.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.connector.local.LocalPort;
import io.millrace.connector.port.TurnStream;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.TokenChunk;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Agents that follow a script: each asks its next question as soon as the last is answered. Used by one thread, which
 * {@linkplain #pump pumps} it.
 */
public final class AgentFleet {
    private final AgentScript script;
    private final LocalPort port;
    private final String prefix;
    private final List<Agent> agents = new ArrayList<>();
    /** Agents that have their answers, and nulls' stand-ins for those who only want to wake the pump. */
    private final BlockingQueue<Runnable> events = new LinkedBlockingQueue<>();

    private int turnsLeft;

    /** Agents at a port, who have asked nothing yet. */
    public AgentFleet(AgentScript script, LocalPort port) {
        this(script, port, "");
    }

    /** Agents whose sessions' names begin with a prefix of their own. */
    public AgentFleet(AgentScript script, LocalPort port, String prefix) {
        this.script = requireNonNull(script, "script");
        this.port = requireNonNull(port, "port");
        this.prefix = requireNonNull(prefix, "prefix");
        turnsLeft = script.turnCount();
        for (int i = 0; i < script.sessions(); i++) {
            agents.add(new Agent(i));
        }
    }

    /** Asks the first question of every session. The port must have been ready before. */
    public void start() {
        agents.forEach(Agent::ask);
    }

    /** Does what there is to do, and waits at most so long for something. */
    public void pump(long timeoutMs) throws InterruptedException {
        Runnable event = events.poll(timeoutMs, TimeUnit.MILLISECONDS);
        while (event != null) {
            event.run();
            event = events.poll();
        }
    }

    /** Ends a wait of the pump. Any thread. */
    public void wake() {
        events.add(() -> {});
    }

    /** Whether all turns have ended. */
    public boolean isDone() {
        return turnsLeft == 0;
    }

    /** The tokens of the turns that have ended, by session and turn. */
    public List<List<List<Integer>>> tokens() {
        return agents.stream().map(agent -> List.copyOf(agent.tokens)).toList();
    }

    /** Turns that have not ended. */
    public int turnsLeft() {
        return turnsLeft;
    }

    private final class Agent {
        private final int index;
        private final List<ChatMessage> messages = new ArrayList<>();
        private final List<List<Integer>> tokens = new ArrayList<>();
        private int turn;
        private @Nullable TurnStream stream;

        Agent(int index) {
            this.index = index;
            messages.add(script.system(index));
        }

        void ask() {
            messages.add(script.question(index, turn));
            TurnStream asked = port.submit(script.request(index, turn, messages).toBuilder()
                    .setSessionId(prefix + AgentScript.sessionId(index))
                    .build());
            stream = asked;
            AtomicBoolean told = new AtomicBoolean();
            asked.onProgress(() -> {
                if (asked.isComplete() && told.compareAndSet(false, true)) {
                    events.add(this::answered);
                }
            });
        }

        void answered() {
            TurnStream answer = requireNonNull(stream, "stream");
            StringBuilder content = new StringBuilder();
            List<Integer> said = new ArrayList<>();
            for (int i = 0; i < answer.chunkCount(); i++) {
                TokenChunk chunk = requireNonNull(answer.chunk(i), "chunk");
                content.append(chunk.getContent());
                said.addAll(chunk.getTokenIdsList());
            }
            tokens.add(said);
            messages.add(AgentScript.message("assistant", content.toString()));
            turnsLeft--;
            turn++;
            if (turn < script.turns()) {
                ask();
            }
        }
    }
}
