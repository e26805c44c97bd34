package io.millrace.text.tokenizer;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Encodes prompts that a chat template rendered. Control tokens in them are the template's, for what users sent went
 * through {@link SpecialTokenGuard}. The text between two control tokens has tokens of its own, whatever stands around
 * it; that is why the tokens of an earlier prompt can be used up to the last control token that both begin with. Safe
 * for use by several threads.
 */
public final class PromptTokenizer {
    private final Tokenizer tokenizer;
    private final SpecialTokens special;

    /** Encodes with a tokenizer. */
    public PromptTokenizer(Tokenizer tokenizer) {
        this.tokenizer = requireNonNull(tokenizer, "tokenizer");
        this.special = SpecialTokens.parsed(tokenizer);
    }

    /**
     * A prompt and its tokens, as {@link #encode} returned them.
     *
     * @param text what the template rendered
     * @param ids its tokens; not copied
     */
    public record Previous(String text, int[] ids) {
        public Previous {
            requireNonNull(text, "text");
            requireNonNull(ids, "ids");
        }
    }

    /** Encodes a rendered prompt. It begins with the model's beginning-of-sequence token if the model wants one. */
    public int[] encode(String rendered) {
        return encode(rendered, null);
    }

    /** Encodes a rendered prompt, with the tokens of the session's last one as far as they are the same. */
    public int[] encode(String rendered, @Nullable Previous previous) {
        char[] text = rendered.toCharArray();
        SpecialTokens.Pieces pieces = special.partition(text);
        Shared shared = previous == null ? Shared.NOTHING : shared(text, pieces, previous);
        IntList out = new IntList(text.length / 3 + 8);
        if (previous != null && shared.idCount > 0) {
            out.addAll(previous.ids, shared.idCount);
        } else if (needsBos(pieces)) {
            out.add(tokenizer.bosId());
        }
        int textStart = shared.textEnd;
        for (int i = shared.pieceCount; i < pieces.count(); i++) {
            if (isControl(pieces, i)) {
                encodePlain(rendered.substring(textStart, pieces.start(i)), out);
                out.add(pieces.token(i));
                textStart = pieces.end(i);
            }
        }
        encodePlain(rendered.substring(textStart), out);
        return out.toArray();
    }

    private void encodePlain(String guarded, IntList out) {
        out.addAll(tokenizer.encode(SpecialTokenGuard.unmark(guarded), false));
    }

    private boolean isControl(SpecialTokens.Pieces pieces, int index) {
        return pieces.token(index) >= 0 && tokenizer.isSpecial(pieces.token(index));
    }

    private boolean needsBos(SpecialTokens.Pieces pieces) {
        boolean written = pieces.count() > 0 && pieces.token(0) == tokenizer.bosId();
        return tokenizer.addBos() && !written;
    }

    /**
     * What two prompts share, up to and with a control token.
     *
     * @param pieceCount pieces of the new prompt that are shared
     * @param textEnd where they end in the text
     * @param idCount their tokens
     */
    private record Shared(int pieceCount, int textEnd, int idCount) {
        static final Shared NOTHING = new Shared(0, 0, 0);
    }

    private Shared shared(char[] text, SpecialTokens.Pieces pieces, Previous previous) {
        char[] previousText = previous.text.toCharArray();
        int mismatch = Arrays.mismatch(text, previousText);
        int commonLength = mismatch < 0 ? text.length : mismatch;
        SpecialTokens.Pieces previousPieces = special.partition(previousText);
        int pieceCount = 0;
        int controlCount = 0;
        int limit = Math.min(pieces.count(), previousPieces.count());
        // A token in the common text need not be one in both prompts: what follows may make it part of a longer one.
        for (int i = 0; i < limit && pieces.end(i) <= commonLength && samePiece(pieces, previousPieces, i); i++) {
            if (isControl(pieces, i)) {
                pieceCount = i + 1;
                controlCount++;
            }
        }
        if (controlCount == 0) {
            return Shared.NOTHING;
        }
        int expected = controlCount(previousPieces) + (needsBos(previousPieces) ? 1 : 0);
        int wanted = controlCount + (needsBos(previousPieces) ? 1 : 0);
        int idCount = idsThroughControl(previous.ids, wanted, expected);
        return idCount == 0 ? Shared.NOTHING : new Shared(pieceCount, pieces.end(pieceCount - 1), idCount);
    }

    private static boolean samePiece(SpecialTokens.Pieces pieces, SpecialTokens.Pieces others, int index) {
        return pieces.end(index) == others.end(index) && pieces.token(index) == others.token(index);
    }

    private int controlCount(SpecialTokens.Pieces pieces) {
        int count = 0;
        for (int i = 0; i < pieces.count(); i++) {
            count += isControl(pieces, i) ? 1 : 0;
        }
        return count;
    }

    /**
     * Returns how many ids there are up to and with the {@code wanted}-th control token; 0 if there are not
     * {@code expected} of them, for then the ids are not those of the text.
     */
    private int idsThroughControl(int[] ids, int wanted, int expected) {
        int count = 0;
        int idCount = 0;
        for (int i = 0; i < ids.length; i++) {
            if (SpecialTokens.isParsedControl(tokenizer, ids[i])) {
                count++;
                idCount = count == wanted ? i + 1 : idCount;
            }
        }
        return count == expected ? idCount : 0;
    }
}
