package io.millrace.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Small vocabularies of the two kinds that model files have, learnt from a paragraph of text. */
final class GeneratedVocabulary {
    /** Special tokens, 256 bytes, and room for single characters. */
    static final int SIZE_MIN = 384;

    private static final int NORMAL = 1;
    private static final int UNKNOWN = 2;
    private static final int CONTROL = 3;
    private static final int UNUSED = 5;
    private static final int BYTE = 6;

    private static final String TEXT = "the water runs down the mill race and turns the wheel and the wheel turns the"
            + " stone; when the stone turns the grain becomes flour and the flour becomes bread for the people of the"
            + " town. a stream that never stops is put to work, and what the stream has done once it does not have to"
            + " do again. please call the tool with the name and the arguments, then read the result and answer the"
            + " question of the user in one short sentence. the weather in the city is sunny and warm today.";

    private static final String CHATML = "{%- if tools %}"
            + "{{- '<|im_start|>system\\n' }}"
            + "{%- if messages[0]['role'] == 'system' %}{{- messages[0]['content'] + '\\n\\n' }}{%- endif %}"
            + "{{- 'Tools, one a line. To call one, write <tool_call> and JSON with name and arguments.' }}"
            + "{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}"
            + "{{- '<|im_end|>\\n' }}"
            + "{%- endif %}"
            + "{%- for message in messages %}"
            + "{%- if not (tools and loop.first and message['role'] == 'system') %}"
            + "{{- '<|im_start|>' + message['role'] + '\\n' }}"
            + "{%- if message['content'] %}{{- message['content'] }}{%- endif %}"
            + "{%- if message['tool_calls'] %}{%- for call in message['tool_calls'] %}"
            + "{{- '<tool_call>\\n' }}{{- call['function'] | tojson }}{{- '\\n</tool_call>' }}"
            + "{%- endfor %}{%- endif %}"
            + "{{- '<|im_end|>\\n' }}"
            + "{%- endif %}"
            + "{%- endfor %}"
            + "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}";

    private static final String GEMMA = "{{ bos_token }}"
            + "{%- for message in messages %}"
            + "{%- set role = 'model' if message['role'] == 'assistant' else 'user' %}"
            + "{{- '<start_of_turn>' + role + '\\n' }}"
            + "{%- if message['content'] %}{{- message['content'] | trim }}{%- endif %}"
            + "{{- '<end_of_turn>\\n' }}"
            + "{%- endfor %}"
            + "{%- if add_generation_prompt %}{{- '<start_of_turn>model\\n' }}{%- endif %}";

    private record Pair(String left, String right) {
        String joined() {
            return left + right;
        }
    }

    private GeneratedVocabulary() {}

    /** Tokens of the three special ones, the 256 bytes, and merges; those left over are unused. */
    static void putByteLevel(GgufWriter writer, String architecture, int size) {
        List<String> tokens = new ArrayList<>(List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>"));
        List<Integer> types = new ArrayList<>(List.of(CONTROL, CONTROL, CONTROL));
        List<String> symbols = byteSymbols();
        symbols.forEach(symbol -> add(tokens, types, symbol, NORMAL));
        List<String> merges = new ArrayList<>();
        for (Pair merge : learn(words(symbols.get(' ')), size - tokens.size())) {
            merges.add(merge.left() + " " + merge.right());
            add(tokens, types, merge.joined(), NORMAL);
        }
        fill(tokens, types, size);
        writer.putString("tokenizer.ggml.model", "gpt2")
                .putString("tokenizer.ggml.pre", architecture.startsWith("qwen") ? "qwen2" : "smollm")
                .putStringArray("tokenizer.ggml.tokens", tokens)
                .putIntArray("tokenizer.ggml.token_type", toArray(types))
                .putStringArray("tokenizer.ggml.merges", merges)
                .putInt("tokenizer.ggml.bos_token_id", 1)
                .putInt("tokenizer.ggml.eos_token_id", 2)
                .putInt("tokenizer.ggml.unknown_token_id", 0)
                .putInt("tokenizer.ggml.padding_token_id", 0)
                .putBool("tokenizer.ggml.add_bos_token", false)
                .putBool("tokenizer.ggml.add_space_prefix", false)
                .putString("tokenizer.chat_template", CHATML);
    }

    /** Gemma's special tokens, the 256 bytes, ASCII, and pieces whose scores fall with their rank. */
    static void putSentencePiece(GgufWriter writer, int size) {
        List<String> tokens =
                new ArrayList<>(List.of("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>", "\n"));
        List<Integer> types = new ArrayList<>(List.of(CONTROL, CONTROL, CONTROL, UNKNOWN, CONTROL, CONTROL, NORMAL));
        for (int value = 0; value < 256; value++) {
            add(tokens, types, String.format("<0x%02X>", value), BYTE);
        }
        float[] scores = new float[size];
        int pieces = tokens.size();
        add(tokens, types, "\u2581", NORMAL);
        for (char character = '!'; character <= '~'; character++) {
            add(tokens, types, String.valueOf(character), NORMAL);
        }
        for (Pair merge : learn(words("\u2581"), size - tokens.size())) {
            scores[tokens.size()] = pieces - tokens.size();
            add(tokens, types, merge.joined(), NORMAL);
        }
        // Characters come after every longer piece.
        Arrays.fill(scores, pieces, pieces + 1 + ('~' - '!' + 1), -size);
        fill(tokens, types, size);
        writer.putString("tokenizer.ggml.model", "llama")
                .putString("tokenizer.ggml.pre", "default")
                .putStringArray("tokenizer.ggml.tokens", tokens)
                .putFloatArray("tokenizer.ggml.scores", scores)
                .putIntArray("tokenizer.ggml.token_type", toArray(types))
                .putInt("tokenizer.ggml.bos_token_id", 2)
                .putInt("tokenizer.ggml.eos_token_id", 1)
                .putInt("tokenizer.ggml.eot_token_id", 5)
                .putInt("tokenizer.ggml.unknown_token_id", 3)
                .putInt("tokenizer.ggml.padding_token_id", 0)
                .putBool("tokenizer.ggml.add_bos_token", true)
                .putBool("tokenizer.ggml.add_eos_token", false)
                .putBool("tokenizer.ggml.add_space_prefix", false)
                .putString("tokenizer.chat_template", GEMMA);
    }

    /** Byte-level BPE writes each byte as a visible character: those of Latin-1 that are, and others from 256 on. */
    private static List<String> byteSymbols() {
        List<String> symbols = new ArrayList<>();
        int next = 256;
        for (int value = 0; value < 256; value++) {
            boolean visible = (value > ' ' && value <= '~') || (value > 0xA0 && value != 0xAD);
            symbols.add(String.valueOf((char) (visible ? value : next++)));
        }
        return symbols;
    }

    /** The text's words and how often they occur, each with its leading space, as lists of single characters. */
    private static Map<List<String>, Integer> words(String space) {
        Map<List<String>, Integer> words = new LinkedHashMap<>();
        for (String word : TEXT.replaceAll("[^a-z ]", "").split(" ", -1)) {
            List<String> characters = new ArrayList<>(List.of(space));
            word.chars().forEach(character -> characters.add(String.valueOf((char) character)));
            words.merge(characters, 1, Integer::sum);
        }
        return words;
    }

    /** Byte-pair encoding: joins the most frequent pair, the first of equals, until there are enough or none recurs. */
    private static List<Pair> learn(Map<List<String>, Integer> words, int countMax) {
        List<Pair> merges = new ArrayList<>();
        Map<List<String>, Integer> current = words;
        while (merges.size() < countMax) {
            Map<Pair, Integer> counts = new LinkedHashMap<>();
            current.forEach((word, count) -> {
                for (int i = 0; i + 1 < word.size(); i++) {
                    counts.merge(new Pair(word.get(i), word.get(i + 1)), count, Integer::sum);
                }
            });
            Pair best = null;
            int bestCount = 0;
            for (Map.Entry<Pair, Integer> entry : counts.entrySet()) {
                if (entry.getValue() > bestCount) {
                    best = entry.getKey();
                    bestCount = entry.getValue();
                }
            }
            if (best == null) {
                break;
            }
            Pair found = best;
            if (merges.stream().noneMatch(merge -> merge.joined().equals(found.joined()))) {
                merges.add(best);
            }
            current = joined(current, best);
        }
        return merges;
    }

    private static Map<List<String>, Integer> joined(Map<List<String>, Integer> words, Pair pair) {
        Map<List<String>, Integer> result = new LinkedHashMap<>();
        words.forEach((word, count) -> {
            List<String> parts = new ArrayList<>();
            for (int i = 0; i < word.size(); i++) {
                boolean here = i + 1 < word.size()
                        && word.get(i).equals(pair.left())
                        && word.get(i + 1).equals(pair.right());
                parts.add(here ? pair.joined() : word.get(i));
                i += here ? 1 : 0;
            }
            result.merge(parts, count, Integer::sum);
        });
        return result;
    }

    private static void fill(List<String> tokens, List<Integer> types, int size) {
        while (tokens.size() < size) {
            add(tokens, types, "<unused" + tokens.size() + ">", UNUSED);
        }
    }

    private static void add(List<String> tokens, List<Integer> types, String token, int type) {
        tokens.add(token);
        types.add(type);
    }

    private static int[] toArray(List<Integer> values) {
        return values.stream().mapToInt(Integer::intValue).toArray();
    }
}
