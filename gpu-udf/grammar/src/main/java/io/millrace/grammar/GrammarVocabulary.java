package io.millrace.grammar;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The tokens of a model as a trie of their bytes, and the masks that grammars keep for it. Built once for a model; safe
 * for several threads.
 *
 * <p>Nodes of the trie are numbered such that a node comes before those below it, and those directly after it: the
 * nodes below node {@code i} are those from {@code i + 1} to {@code ends[i]}. Node 0 is the root.
 */
public final class GrammarVocabulary {
    private static final long DEFAULT_MASK_BYTES = 64L << 20;

    /** Fewest nodes below a node for the bytes of all of them to be worth knowing. */
    private static final int MIN_BELOW = 12;

    /** Last byte of each node. */
    final byte[] octets;

    /** Number of bytes of each node. */
    final short[] depths;

    /** Node after the last one below each. */
    final int[] ends;

    /** Tokens of node {@code i} are those from {@code tokenStarts[i]} to {@code tokenStarts[i + 1]}. */
    final int[] tokenStarts;

    /** Tokens in the order of nodes. */
    final int[] tokens;

    /** Place in {@link #belowSets} of the bytes of the nodes below each node; -1 where they are few. */
    final int[] belowIndexes;

    /** Sets of bytes, four words each. */
    final long[] belowSets;

    final int maxDepth;
    final MaskCache masks;
    private final @Nullable byte[][] tokenBytes;
    private final int[] endTokens;

    /** A vocabulary that keeps as many masks as most need: some ten thousand of a small vocabulary. */
    public GrammarVocabulary(@Nullable byte[][] tokenBytes, int[] endTokens) {
        this(tokenBytes, endTokens, DEFAULT_MASK_BYTES);
    }

    /**
     * @param tokenBytes bytes of each token; null or empty for one that is never allowed, such as control tokens. The
     *     arrays are not copied. Every text can be written only if every byte is a token too, as it is in most
     *     vocabularies.
     * @param endTokens tokens that end the text; allowed where it may end, whatever their bytes
     * @param maxMaskBytes most bytes of masks that are kept, of all grammars
     */
    public GrammarVocabulary(@Nullable byte[][] tokenBytes, int[] endTokens, long maxMaskBytes) {
        this.tokenBytes = tokenBytes.clone();
        this.endTokens = endTokens.clone();
        this.masks = new MaskCache(maxMaskBytes);
        for (int token : endTokens) {
            this.tokenBytes[token] = null;
        }
        Integer[] order = new Integer[tokenBytes.length];
        int count = 0;
        for (int token = 0; token < tokenBytes.length; token++) {
            byte[] bytes = this.tokenBytes[token];
            if (bytes != null && (bytes.length == 0 || bytes.length > Short.MAX_VALUE)) {
                this.tokenBytes[token] = null;
            } else if (bytes != null) {
                order[count++] = token;
            }
        }
        Arrays.sort(order, 0, count, (a, b) -> Arrays.compareUnsigned(this.tokenBytes[a], this.tokenBytes[b]));
        IntList nodeOctets = new IntList();
        IntList nodeDepths = new IntList();
        IntList starts = new IntList();
        this.tokens = new int[count];
        nodeOctets.add(0);
        nodeDepths.add(0);
        starts.add(0);
        byte[] last = new byte[0];
        for (int i = 0; i < count; i++) {
            tokens[i] = order[i];
            byte[] bytes = bytes(order[i]);
            int common = Arrays.mismatch(last, bytes);
            for (int depth = common < 0 ? bytes.length : common; depth < bytes.length; depth++) {
                nodeOctets.add(bytes[depth]);
                nodeDepths.add(depth + 1);
                starts.add(i);
            }
            last = bytes;
        }
        int nodes = nodeOctets.size();
        this.octets = new byte[nodes];
        this.depths = new short[nodes];
        this.ends = new int[nodes];
        int deepest = 0;
        for (int node = 0; node < nodes; node++) {
            octets[node] = (byte) nodeOctets.get(node);
            depths[node] = (short) nodeDepths.get(node);
            deepest = Math.max(deepest, depths[node]);
        }
        this.maxDepth = deepest;
        starts.add(count);
        this.tokenStarts = starts.toArray();
        fillEnds();
        this.belowIndexes = new int[nodes];
        this.belowSets = below();
    }

    /** Returns the sets of bytes below nodes, from the last node to the first. */
    private long[] below() {
        int count = 0;
        for (int node = 0; node < ends.length; node++) {
            belowIndexes[node] = ends[node] - node > MIN_BELOW ? 4 * count++ : -1;
        }
        long[] sets = new long[4 * count];
        // Bytes of the nodes of each depth, with those below them, since the last node that is less deep.
        long[] seen = new long[4 * (maxDepth + 2)];
        for (int node = ends.length - 1; node > 0; node--) {
            int own = 4 * depths[node];
            for (int word = 0; word < 4; word++) {
                long set = seen[own + 4 + word];
                seen[own + 4 + word] = 0;
                if (belowIndexes[node] >= 0) {
                    sets[belowIndexes[node] + word] = set;
                }
                seen[own + word] |= set;
            }
            int octet = octets[node] & 0xFF;
            seen[own + (octet >> 6)] |= 1L << octet;
        }
        return sets;
    }

    /** Whether all bytes below a node are of a set. */
    boolean isBelowWithin(int node, long[] set) {
        int index = belowIndexes[node];
        return index >= 0
                && (belowSets[index] & ~set[0]) == 0
                && (belowSets[index + 1] & ~set[1]) == 0
                && (belowSets[index + 2] & ~set[2]) == 0
                && (belowSets[index + 3] & ~set[3]) == 0;
    }

    /** Allows the tokens of nodes. */
    void addTokens(int fromNode, int toNode, long[] mask) {
        for (int i = tokenStarts[fromNode]; i < tokenStarts[toNode]; i++) {
            mask[tokens[i] >> 6] |= 1L << tokens[i];
        }
    }

    private void fillEnds() {
        int[] path = new int[maxDepth + 1];
        int open = -1;
        for (int node = 0; node <= octets.length; node++) {
            int depth = node == octets.length ? 0 : depths[node];
            while (open >= depth) {
                ends[path[open--]] = node;
            }
            if (node < octets.length) {
                path[++open] = node;
            }
        }
    }

    private byte[] bytes(int token) {
        byte[] bytes = tokenBytes[token];
        assert bytes != null;
        return bytes;
    }

    /** Returns the number of tokens. */
    public int size() {
        return tokenBytes.length;
    }

    /** Returns a token's bytes, or null if it is never allowed, or ends the text. */
    public byte @Nullable [] tokenBytes(int token) {
        return tokenBytes[token];
    }

    /** Returns the tokens that end the text. */
    public int[] endTokens() {
        return endTokens.clone();
    }

    /** Whether a token ends the text. */
    boolean isEnd(int token) {
        for (int end : endTokens) {
            if (end == token) {
                return true;
            }
        }
        return false;
    }

    /** Allows the end of the text. */
    void addEnds(long[] mask) {
        for (int end : endTokens) {
            mask[end >> 6] |= 1L << end;
        }
    }

    int maskWords() {
        return (tokenBytes.length + 63) / 64;
    }

    /** Returns the node below another by a byte, or -1 if no token has those bytes. */
    int child(int node, byte octet) {
        for (int child = node + 1; child < ends[node]; child = ends[child]) {
            if (octets[child] == octet) {
                return child;
            }
        }
        return -1;
    }

    /** Returns the longest token that a text continues with, or -1 if there is none. */
    int longestToken(byte[] text, int from, int to) {
        int longest = -1;
        int node = 0;
        for (int i = from; i < to; i++) {
            node = child(node, text[i]);
            if (node < 0) {
                break;
            }
            if (tokenStarts[node] < tokenStarts[node + 1]) {
                longest = tokens[tokenStarts[node]];
            }
        }
        return longest;
    }
}
