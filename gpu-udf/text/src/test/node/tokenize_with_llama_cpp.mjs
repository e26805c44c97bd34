// Prints llama.cpp's tokens of each text in a file, one JSON array a line:
//   node tokenize_with_llama_cpp.mjs MODEL.gguf TEXTS.jsonl plain|special > ids.jsonl
// needs the npm packages node-llama-cpp 3.22.1 and @node-llama-cpp/linux-x64, found where this is run.
import {createRequire} from "node:module";
import {readFileSync} from "node:fs";
import {pathToFileURL} from "node:url";

const require = createRequire(pathToFileURL(process.cwd() + "/"));
const {getLlama, LlamaLogLevel} = await import(pathToFileURL(require.resolve("node-llama-cpp")));
const [modelPath, textsPath, mode] = process.argv.slice(2);
const llama = await getLlama({gpu: false, build: "never", logLevel: LlamaLogLevel.error});
const model = await llama.loadModel({modelPath, vocabOnly: true});
const lines = readFileSync(textsPath, "utf8").split("\n").filter((line) => line !== "");
for (const line of lines) {
  console.log(JSON.stringify(Array.from(model.tokenize(JSON.parse(line), mode === "special"))));
}
await model.dispose();
