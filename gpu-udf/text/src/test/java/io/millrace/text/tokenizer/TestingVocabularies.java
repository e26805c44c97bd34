package io.millrace.text.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Arrays;
import java.util.stream.StreamSupport;

/** The small vocabularies that make_bpe_vocabulary.py and make_sentencepiece_goldens.py trained. */
final class TestingVocabularies {
    private TestingVocabularies() {}

    /** Byte-level BPE with a pre-tokenizer; {@code <|begin_of_text|>} is its beginning-of-sequence token. */
    static Vocabulary bytePair(String pre, boolean addBos) {
        JsonNode json = TestingGoldens.value(TestingGoldens.text("bpe-vocabulary.json"), JsonNode.class);
        String[] tokens = strings(json.get("tokens"));
        int controlStart = json.get("controlStart").asInt();
        int userDefinedStart = json.get("userDefinedStart").asInt();
        int[] types = new int[tokens.length];
        Arrays.fill(types, 0, controlStart, TokenType.NORMAL);
        Arrays.fill(types, controlStart, userDefinedStart, TokenType.CONTROL);
        Arrays.fill(types, userDefinedStart, types.length, TokenType.USER_DEFINED);
        int bosId = Arrays.asList(tokens).indexOf("<|begin_of_text|>");
        int eosId = Arrays.asList(tokens).indexOf("<|im_end|>");
        String[] merges = strings(json.get("merges"));
        return new Vocabulary(
                "gpt2", pre, tokens, types, new float[0], merges, bosId, eosId, -1, -1, -1, addBos, false, false);
    }

    /** SentencePiece: with a space prefix and no user-defined tokens, or without one and with them. */
    static Vocabulary sentencePiece(boolean spacePrefix) {
        JsonNode json = TestingGoldens.value(TestingGoldens.text("spm-vocabulary.json"), JsonNode.class);
        String[] tokens = strings(json.get("tokens"));
        int count = tokens.length - (spacePrefix ? json.get("userDefinedCount").asInt() : 0);
        int[] types = new int[count];
        float[] scores = new float[count];
        for (int id = 0; id < count; id++) {
            types[id] = json.get("types").get(id).asInt();
            scores[id] = json.get("scores").get(id).floatValue();
        }
        return new Vocabulary(
                "llama",
                "default",
                Arrays.copyOf(tokens, count),
                types,
                scores,
                new String[0],
                1,
                2,
                -1,
                0,
                -1,
                true,
                false,
                spacePrefix);
    }

    private static String[] strings(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false)
                .map(JsonNode::asText)
                .toArray(String[]::new);
    }
}
