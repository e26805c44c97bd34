package io.millrace.bench.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.operators.ModelText;
import io.millrace.proto.ChatMessage;
import io.millrace.proto.ChatRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/**
 * A session of two turns whose prompts have exactly so many tokens: a long one, which fills whole KV blocks, and one
 * that adds a short question to it.
 *
 * @param first messages of the first turn
 * @param next messages of the turn that is measured
 * @param nextPrompt the prompt's tokens of that turn
 */
@SuppressWarnings("ArrayRecordComponent")
record SessionScript(List<ChatMessage> first, List<ChatMessage> next, int[] nextPrompt) {
    private static final List<String> WORDS = List.of(
            " one", " two", " three", " four", " five", " six", " water", " house", " green", " river", " stone",
            " light", " paper", " night", " garden", " music");
    private static final long STRIDE = 2_654_435_761L;
    private static final int TRIES = 40;

    SessionScript {
        first = List.copyOf(first);
        next = List.copyOf(next);
        requireNonNull(nextPrompt, "nextPrompt");
    }

    /**
     * Writes a session.
     *
     * @param firstTokens of the first turn's prompt
     * @param newTokens that the next turn's prompt adds
     * @throws IllegalStateException if the model's tokenizer has no text of exactly these lengths
     */
    static SessionScript write(ModelText model, int firstTokens, int newTokens) {
        List<ChatMessage> first =
                exactly(model, firstTokens, words -> List.of(Requests.message("user", "Remember:" + text(words))));
        List<ChatMessage> next = exactly(model, firstTokens + newTokens, words -> {
            List<ChatMessage> all = new ArrayList<>(first);
            all.add(Requests.message("assistant", "Yes"));
            all.add(Requests.message("user", "Which word is first?" + text(words)));
            return all;
        });
        return new SessionScript(first, next, tokens(model, next));
    }

    private static List<ChatMessage> exactly(ModelText model, int tokens, IntFunction<List<ChatMessage>> writer) {
        int words = 0;
        for (int attempt = 0; attempt < TRIES; attempt++) {
            List<ChatMessage> messages = writer.apply(words);
            int missing = tokens - tokens(model, messages).length;
            if (missing == 0) {
                return messages;
            }
            words = Math.max(0, words + missing);
        }
        throw new IllegalStateException("no prompt of exactly " + tokens + " tokens could be written for this model");
    }

    private static int[] tokens(ModelText model, List<ChatMessage> messages) {
        return model.prompt(ChatRequest.newBuilder().addAllMessages(messages).build(), null)
                .tokenIds();
    }

    private static String text(int words) {
        StringBuilder text = new StringBuilder();
        for (long word = 0; word < words; word++) {
            text.append(WORDS.get((int) ((word * STRIDE >>> 16) % WORDS.size())));
        }
        return text.toString();
    }
}
