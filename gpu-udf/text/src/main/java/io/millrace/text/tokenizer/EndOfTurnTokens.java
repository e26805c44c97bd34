package io.millrace.text.tokenizer;

import java.util.BitSet;
import java.util.Set;

/** Finds the tokens with which a model ends its turn: those that the vocabulary names, and those of known texts. */
final class EndOfTurnTokens {
    /** Tokens that end a turn in the model families that have them, whatever a file says of their type. */
    private static final Set<String> TEXTS = Set.of(
            "<|im_end|>",
            "<|eot_id|>",
            "<|eom_id|>",
            "<|end|>",
            "<|endoftext|>",
            "<|end_of_text|>",
            "<|return|>",
            "<|call|>",
            "<end_of_turn>",
            "<end_of_utterance>",
            "<EOT>",
            "_<EOT>",
            "[EOT]",
            "[EOS]",
            "<\uff5cend\u2581of\u2581sentence\uff5c>");

    private EndOfTurnTokens() {}

    /** Whether a text is that of a known end token. */
    static boolean isKnownText(String text) {
        return TEXTS.contains(text);
    }

    /** Returns the ids of a vocabulary's end tokens. */
    static BitSet of(Vocabulary vocabulary) {
        BitSet ids = new BitSet();
        String[] texts = vocabulary.tokens();
        for (int id = 0; id < texts.length; id++) {
            if (isKnownText(texts[id])) {
                ids.set(id);
            }
        }
        if (vocabulary.eosId() >= 0) {
            ids.set(vocabulary.eosId());
        }
        if (vocabulary.eotId() >= 0) {
            ids.set(vocabulary.eotId());
        }
        return ids;
    }
}
