package io.millrace.kv;

import static java.util.Objects.requireNonNull;

/**
 * Where every key and value lies inside one KV block. A block holds the keys and values of {@code blockSizeTokens}
 * consecutive tokens for all layers, as one contiguous range of elements:
 *
 * <pre>
 *   block = layer 0 | layer 1 | ... | layer L-1
 *   layer = keys (kv head 0 .. H-1) | values (kv head 0 .. H-1)
 * </pre>
 *
 * <p>How the elements of one head's keys, or values, lie among themselves is the format's. That of {@link #PLAIN}:
 *
 * <pre>
 *   keys of a head    [dim][token]    element (d, t) at d * blockSizeTokens + t
 *   values of a head  [token][dim]    element (t, d) at t * headDim + d
 * </pre>
 *
 * <p>There keys are stored with the token index innermost, so that the scores of a block's tokens are computed in
 * vector lanes without a horizontal sum: each score is then one sequential chain of multiply-adds over the dimension,
 * whatever the vector width, which is what makes it bit-equal everywhere (docs/decisions/0002).
 *
 * <p>Blocks of different formats or element types are different blocks even of the same model and tokens: their names
 * differ by {@link #qualify}.
 *
 * @param layerCount number of decoder layers
 * @param kvHeadCount number of key/value heads of a layer
 * @param headDim elements of one head's key or value
 * @param blockSizeTokens tokens a block holds
 * @param elementType what an element is
 * @param format the order of a head's elements: a name and a version, such as {@code plain/1}
 */
public record KvBlockLayout(
        int layerCount, int kvHeadCount, int headDim, int blockSizeTokens, KvElementType elementType, String format) {
    /** The format of backends that compute on the host. */
    public static final String PLAIN = "plain/1";

    public KvBlockLayout {
        checkPositive(layerCount, "layerCount");
        checkPositive(kvHeadCount, "kvHeadCount");
        checkPositive(headDim, "headDim");
        checkPositive(blockSizeTokens, "blockSizeTokens");
        requireNonNull(elementType, "elementType");
        if (format.isBlank()) {
            throw new IllegalArgumentException("a format has a name");
        }
        long elements = 2L * layerCount * kvHeadCount * headDim * blockSizeTokens;
        if (elements * elementType.bytes() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a block of " + elements + " elements is too large");
        }
    }

    /** A layout in the {@link #PLAIN} format, of 32-bit floats. */
    public KvBlockLayout(int layerCount, int kvHeadCount, int headDim, int blockSizeTokens) {
        this(layerCount, kvHeadCount, headDim, blockSizeTokens, KvElementType.F32, PLAIN);
    }

    /**
     * Names a model and what its blocks hold, which is what block hashes begin with: the model's fingerprint alone in
     * the {@link #PLAIN} format of 32-bit floats, as it was before there were others.
     */
    public String qualify(String modelFingerprint) {
        boolean first = elementType == KvElementType.F32 && format.equals(PLAIN);
        return first ? modelFingerprint : modelFingerprint + " kv=" + format + "," + elementType;
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

    /** Bytes of a whole block. */
    public int blockBytes() {
        return blockElements() * elementType.bytes();
    }

    /**
     * Index of the first key element of a head. In the plain format key (d, t) lies {@code d * blockSizeTokens + t}
     * further.
     */
    public int keyOffset(int layer, int kvHead) {
        return layer * layerElements() + kvHead * headElements();
    }

    /**
     * Index of the first value element of a head. In the plain format value (t, d) lies {@code t * headDim + d}
     * further.
     */
    public int valueOffset(int layer, int kvHead) {
        return keyOffset(layer, kvHead) + kvHeadCount * headElements();
    }

    private static void checkPositive(int value, String name) {
        if (value <= 0) {
            throw new IllegalArgumentException(name + " must be positive: " + value);
        }
    }
}
