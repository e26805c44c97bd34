package io.millrace.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * SentencePiece's BPE: the characters of a text are merged into tokens, those of the highest score first; what is not a
 * token in the end becomes byte tokens.
 */
final class SentencePieceEncoder implements PlainEncoder {
    /** Stands for a space in the vocabulary. */
    static final char SPACE_MARK = '\u2581';

    private final boolean addSpacePrefix;
    private final int unkId;
    private final TokenTexts tokens;
    private final CharPairs pairs = new CharPairs();
    /** Rank of each token's score: equal scores have equal ranks, the highest has rank 0. */
    private final int[] ranks;

    private final int[] byteTokens = new int[256];
    private final WordCache cache = new WordCache();

    SentencePieceEncoder(Vocabulary vocabulary, Map<String, Integer> plainTokens) {
        this.addSpacePrefix = vocabulary.addSpacePrefix();
        this.unkId = vocabulary.unkId();
        this.ranks = ranks(vocabulary);
        int lengthMax =
                plainTokens.keySet().stream().mapToInt(String::length).max().orElse(0);
        this.tokens = new TokenTexts(plainTokens.size(), lengthMax);
        plainTokens.forEach((text, id) -> {
            tokens.put(text, id);
            pairs.add(text);
        });
        Arrays.fill(byteTokens, -1);
        String[] texts = vocabulary.tokens();
        for (int id = 0; id < texts.length; id++) {
            int value = byteValue(texts[id]);
            if (value >= 0) {
                byteTokens[value] = id;
            }
        }
    }

    /** Returns the byte that a token such as {@code <0x0A>} stands for, or -1. */
    static int byteValue(String text) {
        if (text.length() != 6 || !text.startsWith("<0x") || text.charAt(5) != '>') {
            return -1;
        }
        String digits = text.substring(3, 5).toLowerCase(Locale.ROOT);
        int high = Character.digit(digits.charAt(0), 16);
        int low = Character.digit(digits.charAt(1), 16);
        return high < 0 || low < 0 ? -1 : high << 4 | low;
    }

    private static int[] ranks(Vocabulary vocabulary) {
        int[] ranks = new int[vocabulary.tokens().length];
        float[] scores = vocabulary.scores();
        if (scores.length == 0) {
            return ranks;
        }
        float[] sorted = scores.clone();
        Arrays.sort(sorted);
        int distinct = 0;
        for (int i = 0; i < sorted.length; i++) {
            if (i == 0 || sorted[i] != sorted[i - 1]) {
                sorted[distinct++] = sorted[i];
            }
        }
        for (int id = 0; id < ranks.length; id++) {
            int position = Arrays.binarySearch(sorted, 0, distinct, scores[id]);
            // A score that compares with nothing, NaN, is the least important.
            ranks[id] = position < 0 ? distinct : distinct - 1 - position;
        }
        return ranks;
    }

    @Override
    public void encode(char[] text, int start, int end, IntList out) {
        int prefix = addSpacePrefix ? 1 : 0;
        char[] marked = new char[end - start + prefix];
        System.arraycopy(text, start, marked, prefix, end - start);
        if (addSpacePrefix) {
            marked[0] = ' ';
        }
        for (int i = 0; i < marked.length; i++) {
            marked[i] = marked[i] == ' ' ? SPACE_MARK : marked[i];
        }
        Session session = null;
        int wordStart = 0;
        for (int i = 1; i < marked.length; i++) {
            boolean cut = !Character.isLowSurrogate(marked[i]) && !pairs.mayContain(marked[i - 1], marked[i]);
            if (cut) {
                session = encodeWord(session, marked, wordStart, i, out);
                wordStart = i;
            }
        }
        encodeWord(session, marked, wordStart, marked.length, out);
    }

    /** Encodes a word, and returns the session that merges it if it is a new one: most texts need none. */
    private @Nullable Session encodeWord(@Nullable Session session, char[] text, int start, int end, IntList out) {
        int[] cached = cache.find(text, start, end);
        if (cached != null) {
            out.addAll(cached);
            return session;
        }
        Session merging = session == null ? new Session(text) : session;
        int before = out.size();
        mergeWord(merging, start, end, out);
        cache.put(text, start, end, out.tail(before));
        return merging;
    }

    private void mergeWord(Session session, int start, int end, IntList out) {
        char[] text = session.text;
        session.clear();
        int position = start;
        while (position < end) {
            int next = WordScanner.next(text, position, end);
            session.append(tokens.find(text, position, next), position);
            position = next;
        }
        session.merge(end);
        for (int i = session.first(); i >= 0; i = session.after(i)) {
            int token = session.symbol(i);
            if (token >= 0) {
                out.add(token);
            } else {
                addBytes(new String(text, session.start(i), session.end(i) - session.start(i)), out);
            }
        }
    }

    /** Appends a character's byte tokens, or the unknown token if the vocabulary has no such byte. */
    private void addBytes(String character, IntList out) {
        for (byte value : character.getBytes(StandardCharsets.UTF_8)) {
            int token = byteTokens[value & 0xff];
            if (token >= 0) {
                out.add(token);
            } else if (unkId >= 0) {
                out.add(unkId);
                return;
            }
        }
    }

    /** One text's merging by the tokens' scores. */
    private final class Session extends MergeSession {
        private final char[] text;

        Session(char[] text) {
            this.text = text;
        }

        @Override
        long find(int left, int right, int start, int end) {
            int token = tokens.find(text, start, end);
            return token < 0 ? NONE : (long) ranks[token] << 32 | token;
        }
    }
}
