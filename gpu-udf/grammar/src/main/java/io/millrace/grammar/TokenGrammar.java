package io.millrace.grammar;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A grammar for one vocabulary: which tokens may follow which. Any thread; the work of finding states is done by one at
 * a time, what is known is read without a lock.
 *
 * <p>A state's mask is put together from those of its nodes. A node's mask does not know what is on the stack: it has
 * the tokens that stay within the rule, and those places in the trie where the rule ends and the token goes on, which
 * are followed with the stack that there is. The former are most of the work, and the same wherever the rule is used.
 */
public final class TokenGrammar {
    private final Grammar grammar;
    private final GrammarVocabulary vocabulary;
    private final @Nullable ForcedTokens forcedTokens;
    private final StateTable states;
    private final GrammarState start;

    /** After a token that ends the text. */
    private final GrammarState ended;

    private final @Nullable CachedMask[] nodeMasks;

    /** What a node's mask is made with instead of the stack; its depth is half of what is allowed. */
    private final Stacks unknownStack;

    /** Whether nodes' masks may be used: every rule can come to its end in a quarter of the depth. */
    private final boolean composable;

    /** A grammar whose forced tokens are the longest ones. */
    public TokenGrammar(Grammar grammar, GrammarVocabulary vocabulary) {
        this(grammar, vocabulary, null);
    }

    /**
     * @param forcedTokens cuts what a grammar forces into tokens; null for always the longest token
     */
    public TokenGrammar(Grammar grammar, GrammarVocabulary vocabulary, @Nullable ForcedTokens forcedTokens) {
        this.grammar = requireNonNull(grammar, "grammar");
        this.vocabulary = requireNonNull(vocabulary, "vocabulary");
        this.forcedTokens = forcedTokens;
        this.states = new StateTable(grammar, this);
        this.start = states.start();
        this.ended = new GrammarState(this, new int[0], new Stacks[0], true, 0);
        this.nodeMasks = new CachedMask[grammar.nodeCount()];
        int maxDepth = grammar.limits.maxStackDepth();
        this.unknownStack = Stacks.empty(maxDepth / 2);
        this.composable = Arrays.stream(grammar.needs).allMatch(need -> need == Grammar.NO_END || need <= maxDepth / 4);
    }

    /** Returns the state before the first token. */
    public GrammarState start() {
        return start;
    }

    /** Returns the grammar. */
    public Grammar grammar() {
        return grammar;
    }

    long[] allowed(GrammarState state) {
        CachedMask.Content content = state.mask.get();
        if (content == null) {
            synchronized (state.mask) {
                content = state.mask.get();
                if (content == null) {
                    content = new CachedMask.Content(make(state), new int[0]);
                    vocabulary.masks.keep(state.mask, content);
                }
            }
        }
        return content.tokens;
    }

    private long[] make(GrammarState state) {
        synchronized (states) {
            states.beginWork();
        }
        long[] mask = new long[vocabulary.maskWords()];
        if (state.mayEnd) {
            vocabulary.addEnds(mask);
        }
        if (!composable || state.depth > unknownStack.depth) {
            walk(state, 0, mask, null);
            return mask;
        }
        for (int i = 0; i < state.nodes.length; i++) {
            CachedMask.Content ofNode = nodeMask(state.nodes[i]);
            for (int word = 0; word < mask.length; word++) {
                mask[word] |= ofNode.tokens[word];
            }
            if (ofNode.exits.length > 0) {
                GrammarState context;
                synchronized (states) {
                    context = states.popped(state.stacks[i]);
                }
                for (int exit : ofNode.exits) {
                    walk(context, exit, mask, null);
                }
            }
        }
        return mask;
    }

    private CachedMask.Content nodeMask(int node) {
        CachedMask place = placeOf(node);
        CachedMask.Content content = place.get();
        if (content == null) {
            synchronized (place) {
                content = place.get();
                if (content == null) {
                    content = makeForNode(node);
                    vocabulary.masks.keep(place, content);
                }
            }
        }
        return content;
    }

    private CachedMask.Content makeForNode(int node) {
        long[] mask = new long[vocabulary.maskWords()];
        IntList exits = new IntList();
        Dfa dfa = grammar.dfas[node];
        if (dfa != null) {
            DfaWalk.walk(vocabulary, dfa, node - grammar.dfaStarts[node], mask, exits);
        } else {
            GrammarState only;
            synchronized (states) {
                only = states.only(node, unknownStack);
            }
            walk(only, 0, mask, exits);
        }
        return new CachedMask.Content(mask, exits.toArray());
    }

    private CachedMask placeOf(int node) {
        synchronized (nodeMasks) {
            CachedMask place = nodeMasks[node];
            if (place == null) {
                Dfa dfa = grammar.dfas[node];
                if (dfa == null) {
                    place = new CachedMask();
                } else {
                    place = vocabulary.masks.of(dfa, vocabulary.maxDepth)[node - grammar.dfaStarts[node]];
                }
                nodeMasks[node] = place;
            }
            return place;
        }
    }

    /**
     * Allows the tokens below a node of the trie that may come from a state.
     *
     * @param exits takes the nodes, with others below them, where the text may end; null if nobody asks
     */
    private void walk(GrammarState from, int root, long[] mask, @Nullable IntList exits) {
        if (from.nodes.length == 0) {
            return;
        }
        GrammarState dead = states.dead();
        byte[] classes = grammar.byteClasses;
        byte[] octets = vocabulary.octets;
        short[] depths = vocabulary.depths;
        int[] ends = vocabulary.ends;
        int base = depths[root];
        GrammarState[] path = new GrammarState[vocabulary.maxDepth - base + 1];
        path[0] = from;
        // What stays in one state needs no walk; but where the text may end, there are exits to be found.
        boolean skips = root == 0 && !(from.mayEnd && exits != null);
        long[] loops = skips ? loops(from) : new long[4];
        int end = ends[root];
        int node = root + 1;
        while (node < end) {
            int depth = depths[node] - base;
            GrammarState before = path[depth - 1];
            int byteClass = classes[octets[node] & 0xFF] & 0xFF;
            GrammarState state = before.nexts[byteClass];
            if (state == null) {
                synchronized (states) {
                    state = states.next(before, byteClass);
                }
            }
            if (state == dead) {
                node = ends[node];
                continue;
            }
            if (state == from && skips && vocabulary.isBelowWithin(node, loops)) {
                vocabulary.addTokens(node, ends[node], mask);
                node = ends[node];
                continue;
            }
            vocabulary.addTokens(node, node + 1, mask);
            if (exits != null && state.mayEnd && ends[node] > node + 1) {
                exits.add(node);
            }
            path[depth] = state;
            node++;
        }
    }

    /** Returns the bytes that lead from a state to itself. */
    private long[] loops(GrammarState state) {
        long[] loops = new long[4];
        for (int octet = 0; octet < 256; octet++) {
            if (next(state, (byte) octet) == state) {
                loops[octet >> 6] |= 1L << octet;
            }
        }
        return loops;
    }

    @Nullable
    GrammarState after(GrammarState state, int token) {
        if (token < 0 || token >= vocabulary.size()) {
            return null;
        }
        if (vocabulary.isEnd(token)) {
            return state.mayEnd ? ended : null;
        }
        byte[] bytes = vocabulary.tokenBytes(token);
        if (bytes == null) {
            return null;
        }
        synchronized (states) {
            states.beginWork();
        }
        GrammarState next = state;
        for (byte octet : bytes) {
            next = next(next, octet);
            if (next == states.dead()) {
                return null;
            }
        }
        return next;
    }

    private GrammarState next(GrammarState state, byte octet) {
        if (state.nodes.length == 0) {
            return states.dead();
        }
        int byteClass = grammar.classOf(octet & 0xFF);
        GrammarState next = state.nexts[byteClass];
        if (next == null) {
            synchronized (states) {
                next = states.next(state, byteClass);
            }
        }
        return next;
    }

    int[] forced(GrammarState state, int limit) {
        int maxBytes = (int) Math.min(limit * 16L, 4096);
        byte[] run = new byte[maxBytes];
        int length = 0;
        GrammarState at = state;
        synchronized (states) {
            states.beginWork();
        }
        while (length < maxBytes && !at.mayEnd) {
            int octet = onlyOctet(at);
            if (octet < 0) {
                break;
            }
            GrammarState next = next(at, (byte) octet);
            if (next == states.dead()) {
                break;
            }
            run[length++] = (byte) octet;
            at = next;
        }
        boolean whole = at.mayEnd && at.nodes.length == 0;
        return ForcedRun.tokens(vocabulary, forcedTokens, Arrays.copyOf(run, length), whole, limit);
    }

    /** Returns the only byte that a state's nodes take, or -1 if there are more. */
    private int onlyOctet(GrammarState state) {
        int only = -1;
        for (int node : state.nodes) {
            for (int edge = grammar.edgeStarts[node]; edge < grammar.edgeStarts[node + 1]; edge++) {
                if (grammar.needs[grammar.targets[edge]] == Grammar.NO_END) {
                    continue;
                }
                int octet = grammar.lows[edge];
                if (octet != grammar.highs[edge] || only >= 0 && octet != only) {
                    return -1;
                }
                only = octet;
            }
        }
        return only;
    }
}
