package io.millrace.text.tokenizer;

import static java.util.Objects.requireNonNull;

import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiFunction;

/** A tokenizer over a vocabulary: special tokens are cut out, and the text between them goes to a plain encoder. */
final class VocabularyTokenizer implements Tokenizer {
    private final Vocabulary vocabulary;
    private final boolean byteLevel;
    private final int[] types;
    private final BitSet endOfTurn;
    private final SpecialTokens userDefined;
    private final SpecialTokens parsed;
    private final PlainEncoder encoder;

    /**
     * Makes a tokenizer.
     *
     * @param byteLevel whether the tokens' texts are in the byte alphabet
     * @param encoderFactory makes the encoder from the vocabulary and the tokens that are plain text
     */
    VocabularyTokenizer(
            Vocabulary vocabulary,
            boolean byteLevel,
            BiFunction<Vocabulary, Map<String, Integer>, PlainEncoder> encoderFactory) {
        this.vocabulary = requireNonNull(vocabulary, "vocabulary");
        this.byteLevel = byteLevel;
        this.types = types(vocabulary);
        this.endOfTurn = EndOfTurnTokens.of(vocabulary);
        this.userDefined = SpecialTokens.of(this, this::isUserDefined);
        this.parsed = SpecialTokens.parsed(this);
        this.encoder = encoderFactory.apply(vocabulary, plainTokens());
    }

    /** Known end tokens are control tokens, even where the file calls them something else. */
    private static int[] types(Vocabulary vocabulary) {
        String[] tokens = vocabulary.tokens();
        int[] types = new int[tokens.length];
        for (int id = 0; id < types.length; id++) {
            int type = vocabulary.types().length == 0
                    ? TokenType.NORMAL
                    : vocabulary.types()[id];
            types[id] = EndOfTurnTokens.isKnownText(tokens[id]) ? TokenType.CONTROL : type;
        }
        return types;
    }

    /** What control tokens and byte tokens look like is not theirs when it stands in plain text. */
    private Map<String, Integer> plainTokens() {
        String[] tokens = vocabulary.tokens();
        Map<String, Integer> plain = new HashMap<>(tokens.length * 2);
        for (int id = 0; id < tokens.length; id++) {
            boolean isPlain = !isSpecial(id) && types[id] != TokenType.BYTE;
            if (isPlain && !tokens[id].isEmpty()) {
                plain.put(tokens[id], id);
            }
        }
        return plain;
    }

    @Override
    public int[] encode(String text, boolean parseSpecial) {
        char[] chars = WellFormedText.of(text);
        IntList out = new IntList(chars.length / 3 + 8);
        SpecialTokens special = parseSpecial ? parsed : userDefined;
        SpecialTokens.Pieces pieces = special.partition(chars);
        for (int i = 0; i < pieces.count(); i++) {
            if (pieces.token(i) >= 0) {
                out.add(pieces.token(i));
            } else {
                encoder.encode(chars, pieces.start(i), pieces.end(i), out);
            }
        }
        return out.toArray();
    }

    @Override
    public byte[] tokenBytes(int id) {
        String text = vocabulary.tokens()[id];
        switch (types[id]) {
            case TokenType.CONTROL, TokenType.UNKNOWN, TokenType.USER_DEFINED -> {
                return text.getBytes(StandardCharsets.UTF_8);
            }
            case TokenType.BYTE -> {
                int value = SentencePieceEncoder.byteValue(text);
                return value < 0 ? text.getBytes(StandardCharsets.UTF_8) : new byte[] {(byte) value};
            }
            default -> {
                return byteLevel
                        ? ByteAlphabet.toBytes(text)
                        : text.replace(SentencePieceEncoder.SPACE_MARK, ' ').getBytes(StandardCharsets.UTF_8);
            }
        }
    }

    @Override
    public String decode(int[] ids) {
        IncrementalDetokenizer detokenizer = new IncrementalDetokenizer(this, false);
        StringBuilder text = new StringBuilder(ids.length * 4);
        for (int id : ids) {
            text.append(detokenizer.accept(id));
        }
        return text.append(detokenizer.flush()).toString();
    }

    @Override
    public boolean isSpecial(int id) {
        return types[id] == TokenType.CONTROL || types[id] == TokenType.UNKNOWN;
    }

    @Override
    public boolean isUserDefined(int id) {
        return types[id] == TokenType.USER_DEFINED;
    }

    @Override
    public boolean isEndOfTurn(int id) {
        return endOfTurn.get(id);
    }

    @Override
    public int bosId() {
        return vocabulary.bosId();
    }

    @Override
    public int eosId() {
        return vocabulary.eosId();
    }

    @Override
    public boolean addBos() {
        return vocabulary.addBos() && vocabulary.bosId() >= 0;
    }

    @Override
    public boolean addSpacePrefix() {
        return vocabulary.addSpacePrefix();
    }

    @Override
    public int vocabSize() {
        return types.length;
    }

    @Override
    public String tokenText(int id) {
        return vocabulary.tokens()[id];
    }
}
