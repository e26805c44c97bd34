package io.millrace.text.tokenizer;

/** Turns text into the tokens of one model and back. Safe for use by several threads. */
public interface Tokenizer {
    /**
     * Encodes a text, without a beginning-of-sequence token. Lone surrogates count as U+FFFD.
     *
     * @param parseSpecial whether texts of control tokens in it, such as {@code <|im_end|>}, become those tokens; never
     *     true for text that a user sent. User-defined tokens are recognised either way.
     */
    int[] encode(String text, boolean parseSpecial);

    /**
     * Returns the bytes of the text that a token stands for; they may be part of a UTF-8 sequence. A special token
     * stands for its own text.
     *
     * @throws IndexOutOfBoundsException if the vocabulary has no such token
     */
    byte[] tokenBytes(int id);

    /**
     * Decodes a text, special tokens included. Bytes that are not UTF-8 become U+FFFD. A space that the encoder put in
     * front of the text is left out.
     */
    String decode(int[] ids);

    /** Whether a token is one that is not text: a control token or the unknown token. */
    boolean isSpecial(int id);

    /** Whether a token is text that the vocabulary's maker wants recognised as a whole wherever it stands. */
    boolean isUserDefined(int id);

    /** Whether a token ends the model's turn. */
    boolean isEndOfTurn(int id);

    /** Returns the beginning-of-sequence token, or -1 if there is none. */
    int bosId();

    /** Returns the end-of-sequence token, or -1 if there is none. */
    int eosId();

    /** Whether prompts begin with the beginning-of-sequence token. */
    boolean addBos();

    /** Whether a space in front of the text's first token is the encoder's and not the text's. */
    boolean addSpacePrefix();

    /** Returns the number of tokens; ids are 0 to this, exclusive. */
    int vocabSize();

    /** Returns a token's text as the vocabulary writes it. */
    String tokenText(int id);
}
