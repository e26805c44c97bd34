package io.millrace.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * Finds special tokens in text: everywhere the longest ones first, of equals the leftmost, and what they leave is
 * searched for shorter ones. The texts are kept as a trie.
 */
final class SpecialTokens {
    private static final int ROOT = 0;

    /** From a node and a character to the next node. */
    private final MergeTable edges;

    private final BitSet firstChars = new BitSet();
    /** The token that ends at a node, or -1, and how many bytes it has. */
    private final int[] tokens;

    private final int[] byteLengths;

    /** The special tokens with these ids and texts; none is empty. */
    SpecialTokens(int[] ids, String[] texts) {
        int charCount = Arrays.stream(texts).mapToInt(String::length).sum();
        edges = new MergeTable(charCount);
        tokens = new int[charCount + 1];
        byteLengths = new int[charCount + 1];
        Arrays.fill(tokens, -1);
        int nodeCount = 1;
        for (int i = 0; i < ids.length; i++) {
            firstChars.set(texts[i].charAt(0));
            int node = ROOT;
            for (int k = 0; k < texts[i].length(); k++) {
                int next = next(node, texts[i].charAt(k));
                if (next < 0) {
                    next = nodeCount++;
                    edges.add(node, texts[i].charAt(k), 0, next);
                }
                node = next;
            }
            tokens[node] = ids[i];
            byteLengths[node] = texts[i].getBytes(StandardCharsets.UTF_8).length;
        }
    }

    /** A text's pieces in order: special tokens, and the text between them. Neighbours are never both text. */
    static final class Pieces {
        /** Start, end and token (-1 for text) of each piece. */
        private final IntList values = new IntList(24);

        private void add(int start, int end, int token) {
            values.add(start);
            values.add(end);
            values.add(token);
        }

        int count() {
            return values.size() / 3;
        }

        int start(int index) {
            return values.get(3 * index);
        }

        int end(int index) {
            return values.get(3 * index + 1);
        }

        /** Returns the piece's token, or -1 if it is text. */
        int token(int index) {
            return values.get(3 * index + 2);
        }
    }

    /** Cuts a text into its pieces; an empty text has none. */
    Pieces partition(char[] text) {
        Pieces pieces = new Pieces();
        int textStart = 0;
        int position = 0;
        while (position < text.length) {
            int matchEnd = longestMatchEnd(text, position);
            if (matchEnd < 0) {
                position++;
                continue;
            }
            int clusterEnd = clusterEnd(text, position, matchEnd);
            if (clusterEnd < 0) {
                addText(textStart, position, pieces);
                pieces.add(position, matchEnd, tokens[nodeAt(text, position, matchEnd)]);
                textStart = matchEnd;
                position = matchEnd;
            } else {
                textStart = addLongestFirst(text, position, clusterEnd, textStart, pieces);
                position = clusterEnd;
            }
        }
        addText(textStart, text.length, pieces);
        return pieces;
    }

    /**
     * Returns where the stretch of text ends that begins with a match and goes on as long as matches overlap; -1 if
     * none overlaps that match.
     */
    private int clusterEnd(char[] text, int start, int matchEnd) {
        int end = matchEnd;
        boolean overlapping = false;
        for (int i = start + 1; i < end; i++) {
            int otherEnd = longestMatchEnd(text, i);
            overlapping |= otherEnd > 0;
            end = Math.max(end, otherEnd);
        }
        return overlapping ? end : -1;
    }

    /**
     * Adds the special tokens of a stretch in which matches overlap. Only there can one be in another's way, so only
     * there do lengths have to be gone through one by one.
     *
     * @param textStart where the text starts that is not added yet
     * @return where it starts now
     */
    private int addLongestFirst(char[] text, int start, int end, int textStart, Pieces target) {
        Pieces pieces = new Pieces();
        pieces.add(start, end, -1);
        BitSet lengths = lengthsIn(text, start, end);
        for (int length = lengths.length() - 1; length > 0; length = lengths.previousSetBit(length - 1)) {
            Pieces finer = new Pieces();
            for (int i = 0; i < pieces.count(); i++) {
                if (pieces.token(i) < 0) {
                    cut(text, pieces.start(i), pieces.end(i), length, finer);
                } else {
                    finer.add(pieces.start(i), pieces.end(i), pieces.token(i));
                }
            }
            pieces = finer;
        }
        int added = textStart;
        for (int i = 0; i < pieces.count(); i++) {
            if (pieces.token(i) >= 0) {
                addText(added, pieces.start(i), target);
                target.add(pieces.start(i), pieces.end(i), pieces.token(i));
                added = pieces.end(i);
            }
        }
        return added;
    }

    private static void addText(int start, int end, Pieces pieces) {
        if (end > start) {
            pieces.add(start, end, -1);
        }
    }

    /** Returns where the longest special token at a position ends, or -1 if there is none. */
    private int longestMatchEnd(char[] text, int start) {
        int longest = -1;
        int node = firstChars.get(text[start]) ? ROOT : -1;
        for (int i = start; i < text.length && node >= 0; i++) {
            node = next(node, text[i]);
            if (node >= 0 && tokens[node] >= 0) {
                longest = i + 1;
            }
        }
        return longest;
    }

    /** Returns the byte lengths of all special tokens that are somewhere in a range of a text. */
    private BitSet lengthsIn(char[] text, int start, int end) {
        BitSet lengths = new BitSet();
        for (int from = start; from < end; from++) {
            int node = firstChars.get(text[from]) ? ROOT : -1;
            for (int i = from; i < end && node >= 0; i++) {
                node = next(node, text[i]);
                if (node >= 0 && tokens[node] >= 0) {
                    lengths.set(byteLengths[node]);
                }
            }
        }
        return lengths;
    }

    private void cut(char[] text, int start, int end, int byteLength, Pieces pieces) {
        int textStart = start;
        int position = start;
        while (position < end) {
            int matchEnd = matchEnd(text, position, end, byteLength);
            if (matchEnd < 0) {
                position++;
                continue;
            }
            addText(textStart, position, pieces);
            pieces.add(position, matchEnd, tokens[nodeAt(text, position, matchEnd)]);
            position = matchEnd;
            textStart = matchEnd;
        }
        addText(textStart, end, pieces);
    }

    /** Returns where a token of so many bytes ends that starts at a position, or -1. */
    private int matchEnd(char[] text, int start, int end, int byteLength) {
        int node = firstChars.get(text[start]) ? ROOT : -1;
        for (int i = start; i < end && node >= 0; i++) {
            node = next(node, text[i]);
            if (node >= 0 && tokens[node] >= 0 && byteLengths[node] == byteLength) {
                return i + 1;
            }
        }
        return -1;
    }

    /** Returns the node that a range of a text leads to; it does. */
    private int nodeAt(char[] text, int start, int end) {
        int node = ROOT;
        for (int i = start; i < end; i++) {
            node = next(node, text[i]);
        }
        return node;
    }

    private int next(int node, char c) {
        long found = edges.find(node, c);
        return found == MergeSession.NONE ? -1 : (int) found;
    }

    /** Whether a special token is at a position, or the beginning of one that the text's end cuts off. */
    boolean mayStart(char[] text, int start) {
        int node = ROOT;
        for (int i = start; i < text.length; i++) {
            node = next(node, text[i]);
            if (node < 0) {
                return false;
            }
            if (tokens[node] >= 0) {
                return true;
            }
        }
        return start < text.length;
    }

    /** Makes the special tokens of a vocabulary that a predicate chooses. */
    static SpecialTokens of(Tokenizer tokenizer, IntPredicate chosen) {
        int[] ids = IntStream.range(0, tokenizer.vocabSize())
                .filter(id -> chosen.test(id) && !tokenizer.tokenText(id).isEmpty())
                .toArray();
        String[] texts = Arrays.stream(ids).mapToObj(tokenizer::tokenText).toArray(String[]::new);
        return new SpecialTokens(ids, texts);
    }

    /**
     * Makes the tokens that are found in text whose special tokens count. One character alone is never a control
     * token: {@link SpecialTokenGuard} could not mark it as text.
     */
    static SpecialTokens parsed(Tokenizer tokenizer) {
        return of(tokenizer, id -> tokenizer.isUserDefined(id) || isParsedControl(tokenizer, id));
    }

    /** Whether a token is a control token that is found in text. */
    static boolean isParsedControl(Tokenizer tokenizer, int id) {
        String text = tokenizer.tokenText(id);
        return tokenizer.isSpecial(id) && text.codePointCount(0, text.length()) > 1;
    }
}
