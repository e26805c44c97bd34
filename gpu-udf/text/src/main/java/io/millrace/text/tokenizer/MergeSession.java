package io.millrace.text.tokenizer;

import java.util.Arrays;

/**
 * The merging of one text's symbols: again and again the most important pair of neighbours becomes one symbol, of
 * equals the leftmost, until no pair can be merged. A heap of pairs keeps this at O(n log n) for n symbols. Used by one
 * thread, for one text after another.
 */
abstract class MergeSession {
    /** What {@link #find} returns for a pair that is not merged. */
    static final long NONE = -1;

    private int[] symbols = new int[64];
    private int[] starts = new int[65];
    private int[] previous = new int[64];
    private int[] next = new int[64];
    /** What each live symbol makes with its right neighbour, as {@link #find} says. */
    private long[] pairs = new long[64];

    private long[] heap = new long[64];
    private int heapSize;
    private int size;

    /**
     * Looks the merge of two neighbours up.
     *
     * @param left the left symbol
     * @param right the right symbol
     * @param start where the left symbol starts in the text
     * @param end where the right symbol ends in the text
     * @return {@code rank << 32 | merged symbol}, where a lower rank is more important, or {@link #NONE}
     */
    abstract long find(int left, int right, int start, int end);

    /** Starts with no symbols. */
    final void clear() {
        size = 0;
        heapSize = 0;
    }

    /** Appends a symbol that starts at an offset of the text, where the last one ended. */
    final void append(int symbol, int start) {
        if (size == symbols.length) {
            int capacity = size * 2;
            symbols = Arrays.copyOf(symbols, capacity);
            starts = Arrays.copyOf(starts, capacity + 1);
            previous = Arrays.copyOf(previous, capacity);
            next = Arrays.copyOf(next, capacity);
            pairs = Arrays.copyOf(pairs, capacity);
        }
        symbols[size] = symbol;
        starts[size] = start;
        previous[size] = size - 1;
        next[size] = size + 1;
        size++;
    }

    /** Merges all that can be merged in a text that ends at an offset. */
    final void merge(int end) {
        starts[size] = end;
        for (int i = 0; i + 1 < size; i++) {
            offer(i);
        }
        while (heapSize > 0) {
            long top = poll();
            int left = (int) top;
            // An entry is stale unless its symbol still makes a pair of this rank.
            if (pairs[left] != NONE && pairs[left] >>> 32 == top >>> 32) {
                mergeAt(left);
            }
        }
    }

    /** Returns the index of the first symbol; there is one. */
    final int first() {
        return 0;
    }

    /** Returns the index of the symbol after one, or -1 after the last. */
    final int after(int index) {
        return next[index] < size ? next[index] : -1;
    }

    final int symbol(int index) {
        return symbols[index];
    }

    final int start(int index) {
        return starts[index];
    }

    final int end(int index) {
        return starts[next[index]];
    }

    final boolean isEmpty() {
        return size == 0;
    }

    private void mergeAt(int left) {
        int right = next[left];
        symbols[left] = (int) pairs[left];
        next[left] = next[right];
        pairs[right] = NONE;
        if (next[left] < size) {
            previous[next[left]] = left;
        }
        if (previous[left] >= 0) {
            offer(previous[left]);
        }
        offer(left);
    }

    private void offer(int left) {
        int right = next[left];
        pairs[left] = right < size ? find(symbols[left], symbols[right], starts[left], starts[next[right]]) : NONE;
        if (pairs[left] != NONE) {
            push((pairs[left] & 0xffffffff00000000L) | left);
        }
    }

    private void push(long entry) {
        if (heapSize == heap.length) {
            heap = Arrays.copyOf(heap, heapSize * 2);
        }
        int hole = heapSize++;
        while (hole > 0) {
            int parent = (hole - 1) >>> 1;
            if (heap[parent] <= entry) {
                break;
            }
            heap[hole] = heap[parent];
            hole = parent;
        }
        heap[hole] = entry;
    }

    private long poll() {
        long top = heap[0];
        long last = heap[--heapSize];
        int hole = 0;
        int child = 1;
        while (child < heapSize) {
            if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
                child++;
            }
            if (heap[child] >= last) {
                break;
            }
            heap[hole] = heap[child];
            hole = child;
            child = 2 * hole + 1;
        }
        heap[hole] = last;
        return top;
    }
}
