package io.millrace.backend.cuda.weights;

import io.millrace.model.ModelSpec.Rope;

/** The rotations of positions, computed in double precision and rounded once, as the CPU backend does. */
public final class RotationTable {
    private RotationTable() {}

    /** Of positions {@code from} to {@code end}, exclusive: {@code [position][pair]{cos, sin}}. */
    public static float[] rotations(Rope rope, int from, int end) {
        int pairs = rope.dimensions() / 2;
        float[] table = new float[Math.multiplyExact(end - from, rope.dimensions())];
        for (int pair = 0; pair < pairs; pair++) {
            double factor = rope.frequencyFactors().length == 0 ? 1 : rope.frequencyFactors()[pair];
            double frequency = rope.positionScale() * Math.pow(rope.base(), -2.0 * pair / rope.dimensions()) / factor;
            for (int position = from; position < end; position++) {
                double angle = position * frequency;
                int at = ((position - from) * pairs + pair) * 2;
                table[at] = (float) Math.cos(angle);
                table[at + 1] = (float) Math.sin(angle);
            }
        }
        return table;
    }
}
