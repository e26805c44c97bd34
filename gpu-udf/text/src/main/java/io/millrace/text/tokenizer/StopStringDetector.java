package io.millrace.text.tokenizer;

import static java.util.Objects.requireNonNull;

/** Watches tokens for stop strings in their text. Used by one thread. */
public final class StopStringDetector {
    private final IncrementalDetokenizer detokenizer;
    private final StopStrings.Matcher matcher;

    /** Starts an output; special tokens are no part of its text. */
    public StopStringDetector(Tokenizer tokenizer, StopStrings stops) {
        this.detokenizer = new IncrementalDetokenizer(tokenizer, true);
        this.matcher = requireNonNull(stops, "stops").newMatcher();
    }

    /** Takes the next token of the output; returns whether a stop string is complete. */
    public boolean accept(int tokenId) {
        return matcher.accept(detokenizer.accept(tokenId)).matched() != null;
    }
}
