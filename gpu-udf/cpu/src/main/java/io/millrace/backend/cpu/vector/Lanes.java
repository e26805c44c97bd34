package io.millrace.backend.cpu.vector;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The vector shapes that all kernels here use: the JVM's preferred one, up to 512 bits, and the shape of as many bytes.
 *
 * <p>About the kernels' form. The compiler turns Vector API code into machine code only if it can inline all of it, and
 * gives up on a method when that grows too large. So each kernel is one static method on arrays, with one flat loop
 * of at most some seventy vector operations, accumulators that live in memory between calls, and a body that is
 * itself too large to be inlined into its caller (over 325 bytes of bytecode) or that has one caller only. Anything
 * else was measured at a tenth of the speed on one JDK or another.
 */
final class Lanes {
    static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED.vectorBitSize() > 512
            ? FloatVector.SPECIES_512
            : FloatVector.SPECIES_PREFERRED;
    static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());
    static final VectorSpecies<Byte> BYTES =
            FLOATS.vectorBitSize() == 512 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;

    /** Floats of a vector. */
    static final int COUNT = FLOATS.length();

    /** Rows of a tile: four vectors. */
    static final int TILE = 4 * COUNT;

    private Lanes() {}

    /** Whether the kernels here suit this machine's vectors. */
    static boolean areSupported() {
        VectorShape shape = FLOATS.vectorShape();
        return shape == VectorShape.S_256_BIT || shape == VectorShape.S_512_BIT;
    }
}
