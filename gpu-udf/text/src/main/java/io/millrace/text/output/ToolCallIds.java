package io.millrace.text.output;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Names tool calls by the turn they are in, so that a turn that is computed again has the same ones. */
public final class ToolCallIds {
    /** What Mistral's templates accept: nothing but this length of letters and digits. */
    private static final int SHORT_LENGTH = 9;

    private static final int LONG_LENGTH = 24;
    private static final String ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    private ToolCallIds() {}

    /** Returns the id of the call of that index, from 0, in the turn of a request. */
    public static String of(String requestId, int index, OutputFormat.ToolCallSyntax syntax) {
        String source = requestId + '/' + index;
        return syntax == OutputFormat.ToolCallSyntax.MISTRAL
                ? digest(source, SHORT_LENGTH)
                : "call_" + digest(source, LONG_LENGTH);
    }

    /** Returns an id as Mistral's templates want it: itself if it has nine letters and digits, else one made of it. */
    public static String shortened(String id) {
        return id.matches("[0-9A-Za-z]{" + SHORT_LENGTH + "}") ? id : digest(id, SHORT_LENGTH);
    }

    private static String digest(String source, int length) {
        byte[] hash;
        try {
            hash = MessageDigest.getInstance("SHA-256").digest(source.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        BigInteger rest = new BigInteger(1, hash);
        BigInteger base = BigInteger.valueOf(ALPHABET.length());
        StringBuilder id = new StringBuilder(length);
        while (id.length() < length) {
            BigInteger[] division = rest.divideAndRemainder(base);
            id.append(ALPHABET.charAt(division[1].intValue()));
            rest = division[0];
        }
        return id.toString();
    }
}
