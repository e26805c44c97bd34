package io.millrace.badinput;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;

/** A well-behaved session that takes the same turn again and again on a thread of its own. */
final class BackgroundSession implements AutoCloseable {
    private static final String TURN = "{\"messages\":[{\"role\":\"system\",\"content\":\"turn the wheel\"},"
            + "{\"role\":\"user\",\"content\":\"what does the stream do with the stone?\"}],"
            + "\"temperature\":0.9,\"top_p\":0.95,\"frequency_penalty\":0.2,\"seed\":20240607,\"max_tokens\":64,"
            + "\"ignore_eos\":true,\"nvext\":{\"extra_fields\":[\"token_ids\"]}}";

    private final FutureTask<List<List<Integer>>> turns;
    private final Thread thread;
    private volatile boolean stopping;

    /** Begins to take turns; the first has ended when this returns. */
    BackgroundSession(RawClient client) throws Exception {
        requireNonNull(client, "client");
        List<Integer> first = takeTurn(client);
        Callable<List<List<Integer>>> loop = () -> {
            List<List<Integer>> taken = new ArrayList<>(List.of(first));
            do {
                taken.add(takeTurn(client));
            } while (!stopping);
            return taken;
        };
        turns = new FutureTask<>(loop);
        thread = new Thread(turns, "background-session");
        thread.start();
    }

    /** The tokens of one turn. */
    static List<Integer> takeTurn(RawClient client) throws Exception {
        RawClient.Answer answer = client.post(TURN, "X-Millrace-Session-ID", "background");
        if (answer.status() != 200) {
            throw new AssertionError("the background session's turn failed: " + answer);
        }
        List<Integer> tokens = new ArrayList<>();
        for (JsonNode token : answer.json().at("/nvext/token_ids")) {
            tokens.add(token.asInt());
        }
        return tokens;
    }

    /** Ends it after the turn that it is in; the tokens of all its turns. */
    List<List<Integer>> end() throws Exception {
        stopping = true;
        return turns.get();
    }

    @Override
    public void close() throws InterruptedException {
        stopping = true;
        thread.join();
    }
}
