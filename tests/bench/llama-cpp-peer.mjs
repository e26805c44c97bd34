// The peer of the engine's benchmark: runs llama.cpp through node-llama-cpp, a command at a time.
//
//   node llama-cpp-peer.mjs FOLDER_OF_NODE_MODULES MODEL.gguf THREADS
//
// Reads commands from standard input, a JSON object a line, and answers each with a JSON object a line:
//   {"run":"prefill","prompt":[ids]}                         -> {"seconds":s}
//   {"run":"decode","prompts":[[ids],...],"tokens":n}        -> {"seconds":s,"tokens":n of all sequences,"ids":[[...]]}
//   {"run":"followUp","prompt":[ids],"increment":[ids]}      -> {"cachedSeconds":s,"uncachedSeconds":s}
// Seconds are of the computation alone: contexts are made, and prompts of "decode" computed, before the clock starts.

import {join} from "node:path";
import {createInterface} from "node:readline";
import {pathToFileURL} from "node:url";

const [folder, modelPath, threadText] = process.argv.slice(2);
const threads = Number(threadText);
const entry = pathToFileURL(join(folder, "node_modules", "node-llama-cpp", "dist", "index.js"));
const {getLlama} = await import(entry);
const llama = await getLlama({gpu: false, build: "never", maxThreads: threads, logLevel: "error"});
const model = await llama.loadModel({modelPath});

async function withContext(sequences, tokensOfSequence, body) {
    const context = await model.createContext({
        contextSize: tokensOfSequence,
        sequences,
        batchSize: 512,
        // A step begins as soon as all sequences wait for it; this is how long it waits for the last of them, so that
        // one that is sampled a little later does not split the batch.
        batching: {dispatchSchedule: (dispatch) => setTimeout(dispatch, 20)},
        threads: {ideal: threads, min: threads}
    });
    try {
        return await body(context);
    } finally {
        await context.dispose();
    }
}

async function timed(body) {
    const begin = performance.now();
    await body();
    return (performance.now() - begin) / 1000;
}

// The first token of the answer: what a client waits for.
async function firstToken(sequence, tokens) {
    for await (const token of sequence.evaluate(tokens, {temperature: 0, yieldEogToken: true})) {
        return token;
    }
}

async function prefill({prompt}) {
    return withContext(1, prompt.length + 8, async (context) => {
        const sequence = context.getSequence();
        return {seconds: await timed(() => firstToken(sequence, prompt))};
    });
}

async function decode({prompts, tokens}) {
    const longest = Math.max(...prompts.map((prompt) => prompt.length));
    return withContext(prompts.length, longest + tokens + 8, async (context) => {
        const sequences = prompts.map(() => context.getSequence());
        await Promise.all(sequences.map((sequence, index) =>
            sequence.evaluateWithoutGeneratingNewTokens(prompts[index].slice(0, -1))));
        const ids = prompts.map(() => []);
        const seconds = await timed(() => Promise.all(sequences.map(async (sequence, index) => {
            const last = prompts[index].slice(-1);
            for await (const token of sequence.evaluate(last, {temperature: 0, yieldEogToken: true})) {
                ids[index].push(token);
                if (ids[index].length >= tokens) {
                    break;
                }
            }
        })));
        return {seconds, tokens: prompts.length * tokens, ids};
    });
}

async function followUp({prompt, increment}) {
    const whole = prompt.concat(increment);
    return withContext(1, whole.length + 8, async (context) => {
        const sequence = context.getSequence();
        const uncachedSeconds = await timed(() => firstToken(sequence, whole));
        await sequence.clearHistory();
        await sequence.evaluateWithoutGeneratingNewTokens(prompt);
        const cachedSeconds = await timed(() => firstToken(sequence, increment));
        return {cachedSeconds, uncachedSeconds};
    });
}

const runs = {prefill, decode, followUp};
console.log(JSON.stringify({ready: true, threads: llama.maxThreads}));
for await (const line of createInterface({input: process.stdin})) {
    const command = JSON.parse(line);
    try {
        console.log(JSON.stringify(await runs[command.run](command)));
    } catch (error) {
        console.log(JSON.stringify({error: String(error)}));
    }
}
process.exit(0);
