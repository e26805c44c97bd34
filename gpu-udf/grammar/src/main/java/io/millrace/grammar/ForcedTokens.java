package io.millrace.grammar;

/** Cuts bytes into the tokens that a model would write. */
public interface ForcedTokens {
    /**
     * Returns the tokens of some bytes. They are checked against the bytes, and only what agrees is used.
     *
     * @param bytes what is to be written; may begin and end anywhere in the text
     */
    int[] tokens(byte[] bytes);
}
