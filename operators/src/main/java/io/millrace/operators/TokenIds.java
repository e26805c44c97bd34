package io.millrace.operators;

import io.millrace.proto.Turn;
import java.util.List;

/** Copies token ids between messages and arrays. */
public final class TokenIds {
    private TokenIds() {}

    /** A turn's prompt. */
    public static int[] prompt(Turn turn) {
        return toArray(turn.getPromptTokenIdsList());
    }

    /** Token ids of a message as an array. */
    public static int[] toArray(List<Integer> ids) {
        int[] array = new int[ids.size()];
        for (int i = 0; i < array.length; i++) {
            array[i] = ids.get(i);
        }
        return array;
    }
}
