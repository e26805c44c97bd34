package io.millrace.grammar.json;

/** Counts the steps of checks, so that no schema takes long. */
final class Steps {
    private final int limit;
    private int count;

    Steps(int limit) {
        this.limit = limit;
    }

    /** Counts a step of a check at a place. */
    void count(String path) {
        count++;
        if (count > limit) {
            throw SchemaErrors.refused(path, "checking this schema takes more than " + limit + " steps");
        }
    }
}
