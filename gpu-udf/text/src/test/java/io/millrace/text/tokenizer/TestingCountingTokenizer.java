package io.millrace.text.tokenizer;

import java.util.List;

/** A tokenizer that writes down what it encodes. */
record TestingCountingTokenizer(Tokenizer tokenizer, List<String> encoded) implements Tokenizer {
    @Override
    public int[] encode(String text, boolean parseSpecial) {
        if (!text.isEmpty()) {
            encoded.add(text);
        }
        return tokenizer.encode(text, parseSpecial);
    }

    @Override
    public byte[] tokenBytes(int id) {
        return tokenizer.tokenBytes(id);
    }

    @Override
    public String decode(int[] ids) {
        return tokenizer.decode(ids);
    }

    @Override
    public boolean isSpecial(int id) {
        return tokenizer.isSpecial(id);
    }

    @Override
    public boolean isUserDefined(int id) {
        return tokenizer.isUserDefined(id);
    }

    @Override
    public boolean isEndOfTurn(int id) {
        return tokenizer.isEndOfTurn(id);
    }

    @Override
    public int bosId() {
        return tokenizer.bosId();
    }

    @Override
    public int eosId() {
        return tokenizer.eosId();
    }

    @Override
    public boolean addBos() {
        return tokenizer.addBos();
    }

    @Override
    public boolean addSpacePrefix() {
        return tokenizer.addSpacePrefix();
    }

    @Override
    public int vocabSize() {
        return tokenizer.vocabSize();
    }

    @Override
    public String tokenText(int id) {
        return tokenizer.tokenText(id);
    }
}
