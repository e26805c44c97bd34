package io.millrace.engine;

/**
 * Where leading blocks of one sequence can be had without computing them: a tier below the device, or another worker.
 * The engine asks when it admits the sequence and has looked its own blocks up, and again after a preemption.
 */
public interface PrefixSource {
    /**
     * Decides how many blocks from {@code firstBlock} on are to be loaded and not computed; 0 if none. Called on the
     * engine's thread: without I/O, and without waiting.
     *
     * @param firstBlock index in the sequence of the first block that the device does not hold
     * @param endBlock index behind the last block worth having
     */
    int blocksToLoad(int firstBlock, int endBlock);

    /**
     * Loads the blocks that {@link #blocksToLoad} has just promised. Called on the engine's thread: hands over and
     * returns. Some time later, on any one thread, the target gets blocks in order, and then its end.
     */
    void load(int firstBlock, LoadTarget target);
}
