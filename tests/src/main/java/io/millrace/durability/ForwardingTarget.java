package io.millrace.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.engine.LoadTarget;
import java.nio.ByteBuffer;

/** Passes all that is loaded on to another target. */
abstract class ForwardingTarget implements LoadTarget {
    private final LoadTarget target;

    ForwardingTarget(LoadTarget target) {
        this.target = requireNonNull(target, "target");
    }

    @Override
    public int blockCount() {
        return target.blockCount();
    }

    @Override
    public boolean isWanted() {
        return target.isWanted();
    }

    @Override
    public void write(int index, ByteBuffer content) {
        target.write(index, content);
    }

    @Override
    public void done(int loadedBlocks) {
        target.done(loadedBlocks);
    }
}
