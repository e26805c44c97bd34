package io.millrace.operators.model;

import static java.util.Objects.requireNonNull;

import io.millrace.grammar.ForcedTokens;
import io.millrace.operators.grammar.OutputTokens;
import io.millrace.text.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The bytes of a tokenizer's tokens, as {@link OutputText} makes text of them. */
final class TokenizerTokens implements OutputTokens {
    /** Control tokens that mark calls. Others are text there too, but none that a constrained output needs. */
    private static final Set<String> MARKERS = Set.of("[TOOL_CALLS]", "[ARGS]", "<|python_tag|>");

    private final Tokenizer tokenizer;

    TokenizerTokens(Tokenizer tokenizer) {
        this.tokenizer = requireNonNull(tokenizer, "tokenizer");
    }

    @Override
    public @Nullable byte[][] bytes(boolean markers) {
        @Nullable byte[][] bytes = new byte[tokenizer.vocabSize()][];
        for (int id = 0; id < bytes.length; id++) {
            bytes[id] = bytes(id, markers);
        }
        return bytes;
    }

    private byte @Nullable [] bytes(int id, boolean markers) {
        if (tokenizer.isEndOfTurn(id)) {
            return null;
        }
        if (tokenizer.isSpecial(id)) {
            String text = tokenizer.tokenText(id);
            return markers && MARKERS.contains(text) ? text.getBytes(StandardCharsets.UTF_8) : null;
        }
        byte[] text = tokenizer.tokenBytes(id);
        return text.length == 0 ? null : text;
    }

    @Override
    public int[] endTokenIds() {
        return IntStream.range(0, tokenizer.vocabSize())
                .filter(tokenizer::isEndOfTurn)
                .toArray();
    }

    @Override
    public @Nullable ForcedTokens forcedTokens() {
        // An encoder that puts a space in front has no tokens for a text's middle.
        return tokenizer.addSpacePrefix()
                ? null
                : bytes -> tokenizer.encode(new String(bytes, StandardCharsets.UTF_8), false);
    }

    @Override
    public boolean dropsLeadingSpace() {
        return tokenizer.addSpacePrefix();
    }
}
