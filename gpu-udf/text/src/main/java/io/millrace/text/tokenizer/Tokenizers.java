package io.millrace.text.tokenizer;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;

/** Makes tokenizers. */
public final class Tokenizers {
    private Tokenizers() {}

    /**
     * Makes the tokenizer of a vocabulary.
     *
     * @throws ServingException {@code MODEL_FILE_INVALID} if the vocabulary is damaged, or its kind or its
     *     pre-tokenizer is not supported
     */
    public static Tokenizer of(Vocabulary vocabulary) {
        return switch (vocabulary.model()) {
            case "gpt2" -> new VocabularyTokenizer(vocabulary, true, BytePairEncoder::new);
            case "llama" -> new VocabularyTokenizer(vocabulary, false, SentencePieceEncoder::new);
            default ->
                throw new ServingException(
                        ErrorCode.MODEL_FILE_INVALID,
                        "tokenizer.ggml.model names the tokenizer \"" + vocabulary.model()
                                + "\", which is not supported; supported are gpt2 (byte-level BPE) and llama"
                                + " (SentencePiece)");
        };
    }
}
