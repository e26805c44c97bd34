package io.millrace.text.template;

import java.util.AbstractList;
import java.util.RandomAccess;

/** Python's range: whole numbers from {@code start}, {@code step} apart. */
final class Range extends AbstractList<Object> implements RandomAccess {
    /** As many as Jinja's sandbox allows. */
    static final int MAX_SIZE = 100_000;

    private final long start;
    private final long stop;
    private final long step;
    private final int size;

    Range(long start, long stop, long step) {
        if (step == 0) {
            throw TemplateException.of("range() step must not be zero");
        }
        this.start = start;
        this.stop = stop;
        this.step = step;
        this.size = size(start, stop, step);
    }

    private static int size(long start, long stop, long step) {
        double span = step > 0 ? (double) stop - start : (double) start - stop;
        double count = Math.ceil(span / Math.abs((double) step));
        if (count > MAX_SIZE) {
            throw TemplateException.of("range is larger than " + MAX_SIZE);
        }
        return (int) Math.max(0, count);
    }

    @Override
    public Object get(int index) {
        if (index < 0 || index >= size) {
            throw new IndexOutOfBoundsException(index);
        }
        return start + index * step;
    }

    @Override
    public int size() {
        return size;
    }

    /** Returns the text that Python prints for it. */
    String represent() {
        return "range(" + start + ", " + stop + (step == 1 ? "" : ", " + step) + ")";
    }
}
