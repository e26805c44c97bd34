package io.millrace.backend.cuda.device;

/**
 * How many threads a launch has.
 *
 * @param gridX thread blocks in x
 * @param gridY thread blocks in y
 * @param gridZ thread blocks in z
 * @param threads threads of a block
 * @param sharedBytes bytes of a block's dynamic shared memory
 */
public record LaunchShape(int gridX, int gridY, int gridZ, int threads, int sharedBytes) {
    private static final int GRID_MAX = 65_535;

    public LaunchShape {
        if (gridX < 1 || gridY < 1 || gridZ < 1 || gridY > GRID_MAX || gridZ > GRID_MAX) {
            throw new IllegalArgumentException("no grid: " + gridX + " x " + gridY + " x " + gridZ);
        }
        if (threads < 1 || threads > 1024 || sharedBytes < 0) {
            throw new IllegalArgumentException(threads + " threads, " + sharedBytes + " bytes of shared memory");
        }
    }
}
