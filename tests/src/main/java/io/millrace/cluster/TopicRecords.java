package io.millrace.cluster;

import io.millrace.proto.AgentRequest;
import io.millrace.proto.TokenChunk;
import java.util.List;

/**
 * What the topics of a cluster hold.
 *
 * @param requests all requests, those of a session in their order
 * @param chunks all chunks, those of a session in their order
 * @param deadLetters why records were set aside
 */
public record TopicRecords(List<AgentRequest> requests, List<TokenChunk> chunks, List<String> deadLetters) {
    /** Keeps the lists as they are. */
    public TopicRecords {
        requests = List.copyOf(requests);
        chunks = List.copyOf(chunks);
        deadLetters = List.copyOf(deadLetters);
    }

    /** The records of the sessions of a run, whose names begin with its prefix; and all dead letters. */
    public TopicRecords of(String prefix) {
        return new TopicRecords(
                requests.stream()
                        .filter(request -> request.getSessionId().startsWith(prefix))
                        .toList(),
                chunks.stream()
                        .filter(chunk -> chunk.getSessionId().startsWith(prefix))
                        .toList(),
                deadLetters);
    }
}
