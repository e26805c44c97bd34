package io.millrace.durability;

import static java.util.Objects.requireNonNull;

import io.millrace.proto.TokenChunk;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What a run's turns said: every chunk by its turn and its offset. A chunk that comes again must say the same, and no
 * offset may be left out. Found by the run's name. Safe for use by several threads.
 */
public final class TurnBook implements AutoCloseable {
    private static final Map<String, TurnBook> OPEN = new ConcurrentHashMap<>();
    /** Enough to see what is wrong. */
    private static final int PROBLEMS_MAX = 20;

    private final String run;
    private final Map<TurnName, Page> pages = new TreeMap<>();
    private final List<String> problems = new ArrayList<>();
    private long tokenCount;
    private long repeatedCount;
    private final TreeMap<Long, List<Runnable>> actions = new TreeMap<>();

    /** A turn of a session. */
    public record TurnName(String sessionId, String requestId) implements Comparable<TurnName> {
        @Override
        public int compareTo(TurnName other) {
            int bySession = sessionId.compareTo(other.sessionId);
            return bySession != 0 ? bySession : requestId.compareTo(other.requestId);
        }
    }

    /** One turn's chunks. */
    private static final class Page {
        final List<TokenChunk> tokens = new ArrayList<>();

        @Nullable
        TokenChunk end;
    }

    private TurnBook(String run) {
        this.run = run;
    }

    /** An empty book of a run; its name is free again when this is closed. */
    public static TurnBook open(String run) {
        TurnBook book = new TurnBook(requireNonNull(run, "run"));
        if (OPEN.putIfAbsent(run, book) != null) {
            throw new IllegalStateException("a book of run '" + run + "' is open already");
        }
        return book;
    }

    /** The book of an open run. */
    public static TurnBook of(String run) {
        return requireNonNull(OPEN.get(run), run);
    }

    /** Takes a chunk, new or repeated. */
    public void add(TokenChunk chunk) {
        List<Runnable> due = new ArrayList<>();
        synchronized (this) {
            TokenChunk said = withoutTimes(chunk);
            Page page =
                    pages.computeIfAbsent(new TurnName(chunk.getSessionId(), chunk.getRequestId()), name -> new Page());
            if (chunk.hasFinished() || chunk.hasFailed()) {
                end(page, said);
            } else {
                token(page, said);
            }
            while (!actions.isEmpty() && actions.firstKey() <= tokenCount) {
                due.addAll(actions.pollFirstEntry().getValue());
            }
        }
        due.forEach(Runnable::run);
    }

    /** Runs an action, on the thread of a sink, as soon as there are so many different tokens. */
    public synchronized void whenTokens(long count, Runnable action) {
        actions.computeIfAbsent(count, any -> new ArrayList<>()).add(requireNonNull(action, "action"));
    }

    /** Different tokens so far. */
    public synchronized long tokenCount() {
        return tokenCount;
    }

    /** Chunks that came again. */
    public synchronized long repeatedCount() {
        return repeatedCount;
    }

    /** Turns that have ended. */
    public synchronized long endedCount() {
        return pages.values().stream().filter(page -> page.end != null).count();
    }

    /** How often each reason and each error ended a turn. */
    public synchronized Map<String, Long> endings() {
        Map<String, Long> endings = new TreeMap<>();
        for (Page page : pages.values()) {
            endings.merge(page.end == null ? "none" : ending(page.end), 1L, Long::sum);
        }
        return endings;
    }

    /** What is wrong with the turns by themselves; empty if all is well. */
    public synchronized List<String> problems() {
        return List.copyOf(problems);
    }

    /** Whether a turn's last chunk is here. */
    public synchronized boolean hasEnded(TurnName name) {
        Page page = pages.get(name);
        return page != null && page.end != null;
    }

    /** The tokens of every turn. */
    public synchronized Map<TurnName, List<Integer>> tokens() {
        Map<TurnName, List<Integer>> tokens = new LinkedHashMap<>();
        pages.forEach((name, page) -> tokens.put(
                name,
                page.tokens.stream()
                        .flatMap(chunk -> chunk.getTokenIdsList().stream())
                        .toList()));
        return tokens;
    }

    /** What is wrong with the turns of this book, and where they differ from those of another; empty if all is well. */
    public synchronized List<String> differences(TurnBook expected) {
        List<String> differences = new ArrayList<>(problems);
        Map<TurnName, List<Integer>> own = tokens();
        Map<TurnName, List<Integer>> others = expected.tokens();
        for (TurnName name : others.keySet()) {
            if (!own.containsKey(name)) {
                note(differences, name + " is missing");
            } else if (!own.get(name).equals(others.get(name))) {
                note(differences, name + ": " + own.get(name) + " instead of " + others.get(name));
            } else if (!chunks(name).equals(expected.chunks(name))) {
                note(differences, name + ": the tokens agree, and the chunks do not");
            }
        }
        own.keySet().stream()
                .filter(name -> !others.containsKey(name))
                .forEach(name -> note(differences, name + " was not asked for"));
        return differences;
    }

    @Override
    public void close() {
        OPEN.remove(run, this);
    }

    private synchronized List<TokenChunk> chunks(TurnName name) {
        Page page = requireNonNull(pages.get(name), "page");
        List<TokenChunk> chunks = new ArrayList<>(page.tokens);
        if (page.end != null) {
            chunks.add(page.end);
        }
        return chunks;
    }

    private void token(Page page, TokenChunk said) {
        int offset = said.getOffset();
        if (said.getTokenIdsCount() != 1) {
            note(problems, "a chunk has " + said.getTokenIdsCount() + " tokens: " + said);
        } else if (offset > page.tokens.size()) {
            note(problems, "a chunk left out offsets from " + page.tokens.size() + " on: " + said);
        } else if (offset < page.tokens.size()) {
            repeatedCount++;
            if (!page.tokens.get(offset).equals(said)) {
                note(problems, "a chunk said first " + page.tokens.get(offset) + " and then " + said);
            }
        } else if (page.end != null) {
            note(problems, "a chunk came behind the last one: " + said);
        } else {
            page.tokens.add(said);
            tokenCount++;
        }
    }

    private void end(Page page, TokenChunk said) {
        if (page.end != null) {
            repeatedCount++;
            if (!page.end.equals(said)) {
                note(problems, "a turn ended first with " + page.end + " and then with " + said);
            }
        } else if (said.getOffset() != page.tokens.size()) {
            note(problems, "a turn ended behind " + page.tokens.size() + " tokens: " + said);
        } else {
            page.end = said;
        }
    }

    /** What a chunk says of tokens; times and the state of caches may differ from run to run. */
    private static TokenChunk withoutTimes(TokenChunk chunk) {
        if (!chunk.hasFinished()) {
            return chunk;
        }
        TokenChunk.Builder said = chunk.toBuilder();
        said.getFinishedBuilder().clearTtftMs().clearItlMs().clearCachedTokens();
        return said.build();
    }

    private static String ending(TokenChunk end) {
        return end.hasFailed()
                ? end.getFailed().getCode()
                : end.getFinished().getReason().name();
    }

    private static void note(List<String> notes, String note) {
        if (notes.size() < PROBLEMS_MAX) {
            notes.add(note);
        }
    }
}
