package io.millrace.engine;

/**
 * A binary heap of token ids, ordered by their logits; of equal logits the lower id is the better. Finds the best few
 * of a vocabulary without sorting it.
 */
final class CandidateHeap {
    private final int[] ids;
    private int size;

    CandidateHeap(int capacity) {
        ids = new int[capacity];
    }

    int size() {
        return size;
    }

    void clear() {
        size = 0;
    }

    /** Appends without order: call {@link #orderBestFirst} afterwards. */
    void append(int id) {
        ids[size++] = id;
    }

    /** Makes what was appended a heap with the best at its root. */
    void orderBestFirst(float[] logits) {
        for (int i = size / 2 - 1; i >= 0; i--) {
            siftDown(logits, i, true);
        }
    }

    /** Takes out the best, of a heap ordered so. */
    int pollBest(float[] logits) {
        return poll(logits, true);
    }

    /** Takes out the worst, of a heap ordered so. */
    int pollWorst(float[] logits) {
        return poll(logits, false);
    }

    /** The worst, of a heap ordered so that is not empty. */
    int worst() {
        return ids[0];
    }

    /** Keeps a heap of the best {@code limit} so far, with the worst of them at its root. */
    void offerWorstFirst(float[] logits, int id, int limit) {
        if (size < limit) {
            int child = size++;
            while (child > 0 && isAbove(logits, id, ids[(child - 1) / 2], false)) {
                ids[child] = ids[(child - 1) / 2];
                child = (child - 1) / 2;
            }
            ids[child] = id;
        } else if (isBetter(logits, id, ids[0])) {
            ids[0] = id;
            siftDown(logits, 0, false);
        }
    }

    private int poll(float[] logits, boolean bestFirst) {
        int root = ids[0];
        size--;
        ids[0] = ids[size];
        siftDown(logits, 0, bestFirst);
        return root;
    }

    private void siftDown(float[] logits, int from, boolean bestFirst) {
        int id = ids[from];
        int parent = from;
        while (2 * parent + 1 < size) {
            int child = 2 * parent + 1;
            if (child + 1 < size && isAbove(logits, ids[child + 1], ids[child], bestFirst)) {
                child++;
            }
            if (!isAbove(logits, ids[child], id, bestFirst)) {
                break;
            }
            ids[parent] = ids[child];
            parent = child;
        }
        ids[parent] = id;
    }

    private static boolean isAbove(float[] logits, int id, int other, boolean bestFirst) {
        return bestFirst ? isBetter(logits, id, other) : isBetter(logits, other, id);
    }

    private static boolean isBetter(float[] logits, int id, int other) {
        return logits[id] > logits[other] || (logits[id] == logits[other] && id < other);
    }
}
