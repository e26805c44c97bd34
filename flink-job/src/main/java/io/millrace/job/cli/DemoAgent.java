package io.millrace.job.cli;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Plays an agent session through the chat API. Turns come in pairs: the user asks, and the model is told which tool to
 * call; the tool's answer goes back, and the model says what it makes of it. The context grows with each turn, and is
 * sent whole each time, as agents do.
 *
 * <p>The tool is named by the request ({@code tool_choice}), for a model of 135 million parameters seldom calls one by
 * itself; the arguments, and whether they make sense, are the model's.
 */
final class DemoAgent {
    private static final int CALL_TOKENS = 80;
    private static final int ANSWER_TOKENS = 96;
    private static final int SEED = 20;

    private final DemoScript script;
    private final DemoTools tools;
    private final ChatClient client;
    private final String model;
    private final PrintStream out;
    private final ObjectMapper json = new ObjectMapper();
    private final ArrayNode messages = json.createArrayNode();
    private @Nullable ObjectNode toolAnswer;

    DemoAgent(DemoScript script, ChatClient client, String model, PrintStream out) {
        this.script = requireNonNull(script, "script");
        this.tools = new DemoTools(script.files());
        this.client = requireNonNull(client, "client");
        this.model = requireNonNull(model, "model");
        this.out = requireNonNull(out, "out");
        messages.addObject().put("role", "system").put("content", script.system());
        script.history().forEach(messages::add);
    }

    /** Plays so many turns, and returns what each came to. */
    List<ChatReply> play(int turnCount) throws IOException, InterruptedException {
        List<ChatReply> replies = new ArrayList<>();
        for (int turn = 0; turn < turnCount; turn++) {
            replies.add(turn(turn));
        }
        return replies;
    }

    private ChatReply turn(int turn) throws IOException, InterruptedException {
        ObjectNode answer = toolAnswer;
        DemoScript.Step step = script.steps().get(turn / 2 % script.steps().size());
        boolean wantsCall = answer == null && turn % 2 == 0;
        if (answer != null) {
            messages.add(answer);
            toolAnswer = null;
        } else if (wantsCall) {
            user(step.question());
        } else {
            user("The tool was not called. Answer in one sentence as well as you can.");
        }
        out.printf("%nturn %d  assistant: ", turn + 1);
        out.flush();
        ChatReply reply = client.complete(request(wantsCall ? step.tool() : null), text -> {
            out.print(text);
            out.flush();
        });
        out.println();
        remember(reply);
        return reply;
    }

    private void user(String text) {
        messages.addObject().put("role", "user").put("content", text);
        out.printf("%n        user: %s%n", text);
    }

    private ObjectNode request(@Nullable String tool) {
        ObjectNode request = json.createObjectNode().put("model", model);
        request.set("messages", messages.deepCopy());
        request.set("tools", script.tools());
        if (tool == null) {
            // The tools stay in the prompt, so that it begins as the one before it did.
            request.put("tool_choice", "auto");
        } else {
            request.putObject("tool_choice")
                    .put("type", "function")
                    .putObject("function")
                    .put("name", tool);
        }
        // Token ids come at once, where text may be held back: they tell the time to the first token.
        request.putObject("nvext").putArray("extra_fields").add("token_ids");
        return request.put("max_tokens", tool == null ? ANSWER_TOKENS : CALL_TOKENS)
                .put("temperature", 0.3)
                .put("seed", SEED);
    }

    private void remember(ChatReply reply) {
        ObjectNode message = messages.addObject().put("role", "assistant").put("content", reply.content());
        if (reply.toolCalls().isEmpty()) {
            return;
        }
        // One call at a time is what the system prompt asks for, and what a named tool_choice gives.
        ChatReply.ToolCall call = reply.toolCalls().get(0);
        ObjectNode node =
                message.putArray("tool_calls").addObject().put("id", call.id()).put("type", "function");
        node.putObject("function").put("name", call.name()).put("arguments", call.arguments());
        String result = tools.run(call);
        out.printf("        %s answers: %s%n", call.name(), result.strip().replace("\n", "\n          "));
        toolAnswer = json.createObjectNode()
                .put("role", "tool")
                .put("tool_call_id", call.id())
                .put("name", call.name())
                .put("content", result);
    }
}
