// cel_differential.mjs FOLDER - answers what `interlock eval --typed --batch` answers, by
// @bufbuild/cel as installed in FOLDER/node_modules: a line in, a line out.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import * as readline from "node:readline";
import * as path from "node:path";

const require = createRequire(path.join(process.argv[2], "package.json"));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const cel = await load("@bufbuild/cel");
const { create, isMessage } = await load("@bufbuild/protobuf");
const { DurationSchema, TimestampSchema } = await load("@bufbuild/protobuf/wkt");
const { strings } = await load("@bufbuild/cel/ext").then((m) => ({ strings: m.strings ?? m.default }));

const env = cel.celEnv({ funcs: [...(strings?.funcs ?? strings ?? [])] });

function fromTagged(tagged) {
  const [[tag, value]] = Object.entries(tagged);
  switch (tag) {
    case "null": return null;
    case "bool": return value;
    case "int": return BigInt(value);
    case "uint": return cel.celUint(BigInt(value));
    case "double": return Number(value);
    case "string": return value;
    case "bytes_hex": return Uint8Array.from(Buffer.from(value, "hex"));
    case "list": return value.map(fromTagged);
    case "map": return new Map(value.map(([k, v]) => [fromTagged(k), fromTagged(v)]));
    default: throw new Error(`no tag ${tag}`);
  }
}

const hex = (bytes) => Buffer.from(bytes).toString("hex");

function toTagged(value) {
  if (value === null) return { null: null };
  switch (typeof value) {
    case "boolean": return { bool: value };
    case "bigint": return { int: value.toString() };
    case "number": return { double: Object.is(value, -0) ? "-0.0" : String(value) };
    case "string": return { string: value };
  }
  if (cel.isCelUint(value)) return { uint: value.value.toString() };
  if (value instanceof Uint8Array) return { bytes_hex: hex(value) };
  if (cel.isCelType(value)) return { type: value.name ?? String(value) };
  if (cel.isCelList(value)) return { list: [...value].map(toTagged) };
  if (cel.isCelMap(value)) return { map: [...value].map(([k, v]) => [toTagged(k), toTagged(v)]) };
  const message = value.message ?? value;
  if (isMessage(message, TimestampSchema))
    return { timestamp: [message.seconds.toString(), message.nanos] };
  if (isMessage(message, DurationSchema))
    return { duration: [message.seconds.toString(), message.nanos] };
  throw new Error(`no tag for ${String(value)}`);
}

function answer(line) {
  const { expr, bindings } = JSON.parse(line);
  const values = Object.fromEntries(
    Object.entries(bindings ?? {}).map(([name, value]) => [name, fromTagged(value)]));
  let parsed;
  try {
    parsed = cel.parse(expr);
  } catch (problem) {
    return { error: String(problem) };
  }
  try {
    const result = cel.plan(env, parsed)(values);
    return cel.isCelError(result) ? { error: String(result.message) } : { value: toTagged(result) };
  } catch (problem) {
    return { error: String(problem) };
  }
}

const out = [];
for await (const line of readline.createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  out.push(JSON.stringify(answer(line)));
  if (out.length >= 1000) process.stdout.write(out.splice(0).join("\n") + "\n");
}
process.stdout.write(out.map((line) => line + "\n").join(""));
