package io.millrace.text.tokenizer;

import java.util.ArrayList;
import java.util.List;

/** A vocabulary whose special tokens begin, end and hold one another. */
final class TestingNestedVocabulary {
    private TestingNestedVocabulary() {}

    static Vocabulary make() {
        Vocabulary base = TestingVocabularies.bytePair("gpt-2", false);
        List<String> tokens = new ArrayList<>(List.of(base.tokens()));
        List<Integer> types = new ArrayList<>();
        for (int type : base.types()) {
            types.add(type);
        }
        String[] control = {"<|im_start|>user\n", "<|im_end|><|im_start|>", "|>", "<s><s>", "</s", "\n<|", "<tool"};
        String[] userDefined = {"the weather", "user", "s>", "t|", "x"};
        for (String text : control) {
            tokens.add(text);
            types.add(TokenType.CONTROL);
        }
        for (String text : userDefined) {
            tokens.add(text);
            types.add(TokenType.USER_DEFINED);
        }
        return new Vocabulary(
                base.model(),
                base.pre(),
                tokens.toArray(String[]::new),
                types.stream().mapToInt(Integer::intValue).toArray(),
                base.scores(),
                base.merges(),
                base.bosId(),
                base.eosId(),
                -1,
                -1,
                -1,
                false,
                false,
                false);
    }
}
