package io.millrace.kv;

/**
 * Where every key and value lies inside one KV block. A block holds the keys and values of {@code blockSizeTokens}
 * consecutive tokens for all layers, as one contiguous range of elements:
 *
 * <pre>
 *   block = layer 0 | layer 1 | ... | layer L-1
 *   layer = keys (kv head 0 .. H-1) | values (kv head 0 .. H-1)
 *   keys of a head    [dim][token]    element (d, t) at d * blockSizeTokens + t
 *   values of a head  [token][dim]    element (t, d) at t * headDim + d
 * </pre>
 *
 * <p>Keys are stored with the token index innermost, so that the scores of a block's tokens are computed in vector
 * lanes without a horizontal sum: each score is then one sequential chain of multiply-adds over the dimension,
 * whatever the vector width, which is what makes it bit-equal everywhere (docs/decisions/0002).
 *
 * @param layerCount number of decoder layers
 * @param kvHeadCount number of key/value heads of a layer
 * @param headDim elements of one head's key or value
 * @param blockSizeTokens tokens a block holds
 */
public record KvBlockLayout(int layerCount, int kvHeadCount, int headDim, int blockSizeTokens) {
    public KvBlockLayout {
        checkPositive(layerCount, "layerCount");
        checkPositive(kvHeadCount, "kvHeadCount");
        checkPositive(headDim, "headDim");
        checkPositive(blockSizeTokens, "blockSizeTokens");
        long elements = 2L * layerCount * kvHeadCount * headDim * blockSizeTokens;
        if (elements * Float.BYTES > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a block of " + elements + " elements is too large");
        }
    }

    /** Elements of one head's keys (or values) in one block. */
    public int headElements() {
        return headDim * blockSizeTokens;
    }

    /** Elements of one layer in one block, keys and values. */
    public int layerElements() {
        return 2 * kvHeadCount * headElements();
    }

    /** Elements of a whole block. */
    public int blockElements() {
        return layerCount * layerElements();
    }

    /** Bytes of a whole block, as 32-bit floats. */
    public int blockBytes() {
        return blockElements() * Float.BYTES;
    }

    /** Index of the first key element of a head: key (d, t) lies {@code d * blockSizeTokens + t} further. */
    public int keyOffset(int layer, int kvHead) {
        return layer * layerElements() + kvHead * headElements();
    }

    /** Index of the first value element of a head: value (t, d) lies {@code t * headDim + d} further. */
    public int valueOffset(int layer, int kvHead) {
        return keyOffset(layer, kvHead) + kvHeadCount * headElements();
    }

    private static void checkPositive(int value, String name) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
    }
}
