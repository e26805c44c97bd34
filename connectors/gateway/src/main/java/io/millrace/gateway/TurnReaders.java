package io.millrace.gateway;

import static java.util.Objects.requireNonNull;

import com.linecorp.armeria.common.stream.ClosedStreamException;
import io.millrace.connector.port.RequestPort;
import io.millrace.connector.port.TurnStream;
import io.millrace.proto.TokenChunk;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The readings of turns that are going on, and what follows from their ends. */
final class TurnReaders {
    private final RequestPort port;
    private final TurnRegistry registry;
    private final PrefixSessions prefixes;
    private final ErrorResponses errors;
    private final Set<TurnReader> open = ConcurrentHashMap.newKeySet();

    TurnReaders(RequestPort port, TurnRegistry registry, PrefixSessions prefixes, ErrorResponses errors) {
        this.port = requireNonNull(port, "port");
        this.registry = requireNonNull(registry, "registry");
        this.prefixes = requireNonNull(prefixes, "prefixes");
        this.errors = requireNonNull(errors, "errors");
    }

    void start(TurnReader reader) {
        open.add(reader);
        reader.start();
    }

    /** Ends all readings with a failure. */
    void stopAll(Failure failure) {
        open.forEach(reader -> reader.stop(failure));
    }

    /** Ends all readings so that clients go on with them elsewhere; the failure is for those that have nothing yet. */
    void handOverAll(Failure failure) {
        open.forEach(reader -> reader.handOver(failure));
    }

    /** A reading has ended, by its turn's end or the client's. A turn that nobody will read any more is cancelled. */
    void ended(TurnReader reader) {
        open.remove(reader);
        boolean last = registry.detach(reader.turn);
        if (last && !reader.turn.lasting() && !reader.stream.isComplete()) {
            port.cancel(reader.turn.jobSession(), reader.turn.turnId(), "the client left");
        }
    }

    /** A turn has failed. */
    void failed(KeptTurn turn, Failure failure) {
        if (!failure.retryable() && !failure.status().isServerError()) {
            return;
        }
        if (port.find(turn.jobSession(), turn.turnId()).isPresent()) {
            registry.retire(turn);
        } else {
            // The port forgets what the job may not have run.
            registry.release(turn);
        }
    }

    /** A turn has ended: where its session is known by its messages, the answer is one more of them. */
    void finished(KeptTurn turn, TurnStream stream) {
        String prefix = turn.prefix();
        if (prefix == null) {
            return;
        }
        TokenChunk last = requireNonNull(stream.chunk(stream.chunkCount() - 1), "last chunk");
        if (last.hasFinished()) {
            WholeTurn whole = WholeTurn.of(stream, turn.shape());
            prefixes.put(prefixes.extend(prefix, whole.message()), turn.clientSession());
        }
    }

    Failure failure(Throwable thrown) {
        return errors.failure(thrown);
    }

    Failure tooLarge() {
        return errors.tooLarge();
    }

    /** Ends the connection of a client that takes nothing of what is ready for it. */
    void disconnect(TurnReader reader) {
        reader.response.abort(ClosedStreamException.get());
    }
}
