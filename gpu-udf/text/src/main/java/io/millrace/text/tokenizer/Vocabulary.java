package io.millrace.text.tokenizer;

import static java.util.Objects.requireNonNull;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import io.millrace.model.GgufMetadata;

/**
 * A model's vocabulary as its GGUF file holds it. The arrays are not copied and must not change.
 *
 * @param model kind of tokenizer: {@code gpt2} (byte-level BPE) or {@code llama} (SentencePiece)
 * @param pre name of the pre-tokenizer, for {@code gpt2}; {@code default} where the file names none
 * @param tokens text of each token; for {@code gpt2} in the byte alphabet, for {@code llama} with U+2581 for spaces
 * @param types GGUF token type of each token, as long as {@code tokens}; empty if all are normal
 * @param scores score of each token, as long as {@code tokens}, for {@code llama}; otherwise may be empty
 * @param merges merge rules {@code "left right"}, most important first, for {@code gpt2}; otherwise may be empty
 * @param bosId beginning-of-sequence token, or -1
 * @param eosId end-of-sequence token, or -1
 * @param eotId end-of-turn token, or -1 if it is to be found by its text
 * @param unkId unknown token, or -1
 * @param padId padding token, or -1
 * @param addBos whether prompts begin with the beginning-of-sequence token
 * @param addEos whether encoded texts end with the end-of-sequence token, as embedding models want
 * @param addSpacePrefix whether text that follows a special token, or begins a text, gets a space in front
 */
public record Vocabulary(
        String model,
        String pre,
        String[] tokens,
        int[] types,
        float[] scores,
        String[] merges,
        int bosId,
        int eosId,
        int eotId,
        int unkId,
        int padId,
        boolean addBos,
        boolean addEos,
        boolean addSpacePrefix) {

    private static final String PREFIX = "tokenizer.ggml.";

    /** Most tokens of a vocabulary that is accepted. */
    static final int TOKENS_MAX = 1 << 21;

    /** Most characters of a token that is accepted. */
    static final int TOKEN_CHARS_MAX = 1 << 16;

    public Vocabulary {
        requireNonNull(model, "model");
        requireNonNull(pre, "pre");
        requireNonNull(merges, "merges");
        check(tokens.length > 0, "the vocabulary has no tokens");
        check(tokens.length <= TOKENS_MAX, "the vocabulary has more than " + TOKENS_MAX + " tokens: " + tokens.length);
        for (int id = 0; id < tokens.length; id++) {
            check(tokens[id].length() <= TOKEN_CHARS_MAX, "token " + id + " is longer than " + TOKEN_CHARS_MAX);
        }
        check(
                types.length == 0 || types.length == tokens.length,
                "tokenizer.ggml.token_type has " + types.length + " entries for " + tokens.length + " tokens");
        check(
                scores.length == 0 || scores.length == tokens.length,
                "tokenizer.ggml.scores has " + scores.length + " entries for " + tokens.length + " tokens");
        checkId(bosId, "bos_token_id", tokens.length);
        checkId(eosId, "eos_token_id", tokens.length);
        checkId(eotId, "eot_token_id", tokens.length);
        checkId(unkId, "unknown_token_id", tokens.length);
        checkId(padId, "padding_token_id", tokens.length);
    }

    /**
     * Reads a model file's vocabulary. Where the file is silent, the defaults are llama.cpp's.
     *
     * @throws ServingException {@code MODEL_FILE_INVALID} if something is missing, damaged or not supported
     */
    public static Vocabulary fromMetadata(GgufMetadata metadata) {
        String model = metadata.getString(PREFIX + "model");
        String pre = metadata.getString(PREFIX + "pre", "default");
        String[] tokens = metadata.getStringArray(PREFIX + "tokens");
        boolean sentencePiece = model.equals("llama");
        boolean addBosDefault = sentencePiece
                || (model.equals("gpt2") && PreTokenizers.byName(pre).addBos());
        int padId = metadata.getInt(PREFIX + "padding_token_id", -1);
        return new Vocabulary(
                model,
                pre,
                tokens,
                metadata.getIntArray(PREFIX + "token_type", new int[0]),
                metadata.getFloatArray(PREFIX + "scores", new float[0]),
                metadata.getStringArray(PREFIX + "merges", new String[0]),
                metadata.getInt(PREFIX + "bos_token_id", sentencePiece ? 1 : -1),
                metadata.getInt(PREFIX + "eos_token_id", sentencePiece ? 2 : -1),
                metadata.getInt(PREFIX + "eot_token_id", -1),
                metadata.getInt(PREFIX + "unknown_token_id", sentencePiece ? 0 : -1),
                // Some files have a padding token that is one past the vocabulary. Nothing is padded here.
                padId < tokens.length ? padId : -1,
                metadata.getBool(PREFIX + "add_bos_token", addBosDefault),
                metadata.getBool(PREFIX + "add_eos_token", false),
                sentencePiece && metadata.getBool(PREFIX + "add_space_prefix", true));
    }

    private static void checkId(int id, String name, int tokenCount) {
        check(
                id >= -1 && id < tokenCount,
                "tokenizer.ggml." + name + " is " + id + ", and the vocabulary has " + tokenCount + " tokens");
    }

    private static void check(boolean holds, String message) {
        if (!holds) {
            throw new ServingException(ErrorCode.MODEL_FILE_INVALID, message);
        }
    }
}
