package io.millrace.grammar;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The tokens of a model as a trie of their bytes, and the masks that grammars keep for it. Built once for a model; safe
 * for several threads.
 *
 * <p>Nodes of the trie are numbered such that a node comes before those below it, and those directly after it: the nodes
 * below node {@code i} are those from {@code i + 1} to {@code ends[i]}. Node 0 is the root.
 */
public final class GrammarVocabulary {
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

    final int maxDepth;
    final MaskCache masks;
    private final @Nullable byte[][] tokenBytes;
    private final int[] endTokens;

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
