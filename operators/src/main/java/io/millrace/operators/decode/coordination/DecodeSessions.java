package io.millrace.operators.decode.coordination;

import io.millrace.proto.SaveBlocksResult;
import io.millrace.proto.SessionsPage;
import java.util.function.Consumer;

/** What a subtask of Decode can be asked about its sessions. Used on the task thread, which must not wait in it. */
public interface DecodeSessions {
    /** No page has more sessions: an answer stays far below what an RPC may carry. */
    int PAGE_SESSIONS_MAX = 1000;
    /** No page token is longer. */
    int PAGE_TOKEN_CHARS_MAX = 1024;

    /**
     * Some of the subtask's sessions, each once over all pages, but for those that come and go meanwhile.
     *
     * @param pageToken the page before it named this one; empty for the first
     * @param limit sessions at most, 1 to {@link #PAGE_SESSIONS_MAX}
     * @throws io.millrace.kv.ServingException {@code INVALID_REQUEST} if the token is none of this subtask's
     */
    SessionsPage sessions(String pageToken, int limit) throws Exception;

    /**
     * Begins to write every full block that the STATE tier has not. Not called again before it is done.
     *
     * @param done called once on the task thread, at the latest when all are written and recorded in keyed state
     */
    void saveAll(Consumer<SaveBlocksResult> done) throws Exception;
}
