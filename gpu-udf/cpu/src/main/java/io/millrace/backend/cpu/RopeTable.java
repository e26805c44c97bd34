package io.millrace.backend.cpu;

import io.millrace.model.ModelSpec.Rope;
import io.millrace.model.ModelSpec.RopeStyle;

/** The rotations of every position, computed in double precision and rounded once. */
final class RopeTable {
    private final int pairs;
    private final boolean interleaved;
    private final float[] cosines;
    private final float[] sines;

    /** Computes the table of positions 0 to {@code positionCount}, exclusive. */
    RopeTable(Rope rope, int positionCount) {
        pairs = rope.dimensions() / 2;
        interleaved = rope.style() == RopeStyle.INTERLEAVED;
        int elements = Math.multiplyExact(positionCount, pairs);
        cosines = new float[elements];
        sines = new float[elements];
        for (int pair = 0; pair < pairs; pair++) {
            double frequency = frequency(rope, pair);
            for (int position = 0; position < positionCount; position++) {
                double angle = position * frequency;
                cosines[position * pairs + pair] = (float) Math.cos(angle);
                sines[position * pairs + pair] = (float) Math.sin(angle);
            }
        }
    }

    private static double frequency(Rope rope, int pair) {
        double factor = rope.frequencyFactors().length == 0 ? 1 : rope.frequencyFactors()[pair];
        return rope.positionScale() * Math.pow(rope.base(), -2.0 * pair / rope.dimensions()) / factor;
    }

    /** Rotates a head in place; elements beyond the rotation's dimensions stay. */
    void rotate(float[] x, int start, int position) {
        int row = position * pairs;
        int step = interleaved ? 2 : 1;
        int partner = interleaved ? 1 : pairs;
        for (int pair = 0; pair < pairs; pair++) {
            int at = start + pair * step;
            float cosine = cosines[row + pair];
            float sine = sines[row + pair];
            float first = x[at];
            float second = x[at + partner];
            x[at] = first * cosine - second * sine;
            x[at + partner] = first * sine + second * cosine;
        }
    }
}
