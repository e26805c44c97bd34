package io.millrace.bench.speculation;

import io.millrace.text.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/** What the model is asked: to write a file again with a change, and to tell something. */
final class Prompts {
    private static final List<String> FILES = List.of("""
            class Inventory:
                def __init__(self, capacity):
                    self.capacity = capacity
                    self.items = {}

                def add(self, name, count):
                    if count <= 0:
                        raise ValueError("count must be positive")
                    if self.total() + count > self.capacity:
                        raise ValueError("the inventory is full")
                    self.items[name] = self.items.get(name, 0) + count

                def remove(self, name, count):
                    if self.items.get(name, 0) < count:
                        raise ValueError("there are not so many")
                    self.items[name] = self.items[name] - count

                def total(self):
                    return sum(self.items.values())
            """, """
            server:
              host: 127.0.0.1
              port: 8080
              timeout_seconds: 30
              max_connections: 512
            database:
              host: db.internal
              port: 5432
              user: millrace
              pool_size: 16
              retry_attempts: 3
            logging:
              level: info
              file: /var/log/service.log
              rotate_mebibytes: 64
              keep_files: 10
            metrics:
              enabled: true
              interval_seconds: 15
              path: /metrics
            """, """
            public final class Counter {
                private final String name;
                private long value;

                public Counter(String name) {
                    this.name = name;
                    this.value = 0;
                }

                public void increment() {
                    value = value + 1;
                }

                public void add(long amount) {
                    value = value + amount;
                }

                public long value() {
                    return value;
                }

                public String describe() {
                    return name + " = " + value;
                }
            }
            """);
    private static final List<String> EDITS = List.of(
            "Rename the method total to count_all.", "Set the server's port to 9090.", "Rename the class to Tally.");
    private static final List<String> LANGUAGES = List.of("python", "yaml", "java");

    private static final List<String> CHATS = List.of(
            "Why is the sky blue?",
            "Give me advice on how to learn to play the violin.",
            "Tell me a story about a fisherman and a lighthouse.",
            "What should one see in Lisbon in two days?");

    private Prompts() {}

    /** Prompts to write a file again. */
    static List<int[]> edits(Tokenizer tokenizer) {
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < FILES.size(); i++) {
            String fence = "```" + LANGUAGES.get(i) + "\n";
            String question = EDITS.get(i) + " Write the whole file again.\n\n" + fence + FILES.get(i) + "```";
            // An agent's harness begins the answer like this, so that nothing but the file comes.
            prompts.add(tokenizer.encode(chat(question) + fence, true));
        }
        return prompts;
    }

    /** Prompts whose answers have nothing to do with them. */
    static List<int[]> chats(Tokenizer tokenizer, int count) {
        List<int[]> prompts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String about = i < CHATS.size() ? "" : " Begin with the number " + i + ".";
            prompts.add(tokenizer.encode(chat(CHATS.get(i % CHATS.size()) + about), true));
        }
        return prompts;
    }

    /** A prompt of one question, as SmolLM2 takes it. */
    static String chat(String question) {
        return "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
                + "<|im_start|>user\n" + question + "<|im_end|>\n<|im_start|>assistant\n";
    }
}
