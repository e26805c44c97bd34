package io.millrace.text.tokenizer;

import io.millrace.kv.ErrorCode;
import io.millrace.kv.ServingException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Byte-level byte-pair encoding: the bytes of each word are merged by the vocabulary's merge rules, in their order. */
final class BytePairEncoder implements PlainEncoder {
    private final PreTokenizer words;
    private final boolean wholeWords;
    private final Map<String, Integer> tokens;
    /** Symbols are token ids; from here on, texts that only merges have. */
    private final int tokenCount;

    private final int[] byteSymbols = new int[256];
    private final MergeTable merges;
    private final WordCache cache = new WordCache();

    BytePairEncoder(Vocabulary vocabulary, Map<String, Integer> plainTokens) {
        PreTokenizers.Definition definition = PreTokenizers.byName(vocabulary.pre());
        this.words = definition.words();
        this.wholeWords = definition.wholeWords();
        this.tokens = plainTokens;
        this.tokenCount = vocabulary.tokens().length;
        Map<String, Integer> symbols = new HashMap<>(plainTokens);
        this.merges = mergeTable(vocabulary, symbols);
        for (int value = 0; value < 256; value++) {
            Integer symbol = symbols.get(String.valueOf(ByteAlphabet.toChar((byte) value)));
            byteSymbols[value] = symbol == null ? -1 : symbol;
        }
    }

    private static MergeTable mergeTable(Vocabulary vocabulary, Map<String, Integer> symbols) {
        String[] rules = vocabulary.merges();
        MergeTable table = new MergeTable(rules.length);
        int nextSymbol = vocabulary.tokens().length;
        for (int rank = 0; rank < rules.length; rank++) {
            String rule = rules[rank];
            int space = rule.indexOf(' ', 1);
            if (space < 0 || space == rule.length() - 1) {
                throw new ServingException(
                        ErrorCode.MODEL_FILE_INVALID,
                        "tokenizer.ggml.merges[" + rank + "] is not two texts with a space between");
            }
            int[] parts = new int[3];
            String left = rule.substring(0, space);
            String right = rule.substring(space + 1);
            String[] texts = {left, right, left + right};
            for (int i = 0; i < 3; i++) {
                Integer symbol = symbols.putIfAbsent(texts[i], nextSymbol);
                parts[i] = symbol == null ? nextSymbol++ : symbol;
            }
            table.add(parts[0], parts[1], rank, parts[2]);
        }
        return table;
    }

    @Override
    public void encode(char[] text, int start, int end, IntList out) {
        Session session = new Session(merges);
        words.split(text, start, end, (chars, wordStart, wordEnd) -> {
            int[] cached = cache.find(chars, wordStart, wordEnd);
            if (cached == null) {
                int before = out.size();
                encodeWord(chars, wordStart, wordEnd, session, out);
                cache.put(chars, wordStart, wordEnd, out.tail(before));
            } else {
                out.addAll(cached);
            }
        });
    }

    private void encodeWord(char[] text, int start, int end, Session session, IntList out) {
        byte[] bytes = bytes(text, start, end);
        if (wholeWords) {
            Integer token = tokens.get(ByteAlphabet.toText(bytes, 0, bytes.length));
            if (token != null) {
                out.add(token);
                return;
            }
        }
        session.clear();
        for (int i = 0; i < bytes.length; i++) {
            session.append(byteSymbols[bytes[i] & 0xff], i);
        }
        session.merge(bytes.length);
        for (int i = session.first(); i >= 0; i = session.after(i)) {
            addSymbol(bytes, session, i, out);
        }
    }

    /** Appends a symbol's token; the tokens of its bytes if it has none, and nothing for bytes without one. */
    private void addSymbol(byte[] bytes, Session session, int index, IntList out) {
        int symbol = session.symbol(index);
        if (symbol >= 0 && symbol < tokenCount) {
            out.add(symbol);
            return;
        }
        for (int i = session.start(index); i < session.end(index); i++) {
            int byteSymbol = byteSymbols[bytes[i] & 0xff];
            if (byteSymbol >= 0 && byteSymbol < tokenCount) {
                out.add(byteSymbol);
            }
        }
    }

    private static byte[] bytes(char[] text, int start, int end) {
        ByteBuffer buffer = StandardCharsets.UTF_8.encode(CharBuffer.wrap(text, start, end - start));
        return Arrays.copyOf(buffer.array(), buffer.limit());
    }

    /** One text's merging by the table. */
    private static final class Session extends MergeSession {
        private final MergeTable merges;

        Session(MergeTable merges) {
            this.merges = merges;
        }

        @Override
        long find(int left, int right, int start, int end) {
            return merges.find(left, right);
        }
    }
}
