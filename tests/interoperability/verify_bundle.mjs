// A verifier of bundles in another language, over other libraries, that follows docs/verification.md.
// Argument: JSON of what is trusted, {validators, needed, hashes}. Standard input: JSON of bundles,
// each as its text. Prints for each what it proves, or {"where": …} where it does not hold.
import { readFileSync } from "node:fs";
import merkle from "@openzeppelin/merkle-tree";
import { concat, fromRlp, keccak256, recoverAddress, size, slice, stringToHex, toRlp } from "viem";

const WORDS = {
  ImageAnchored: [
    "bytes32,address,address,bytes32,bytes32,bytes32,bytes32,uint32,uint8,bytes32",
    "image,custodian,patient,root,manifest,visit,course,instances,kind,parent",
  ],
  ImageRekeyed: ["bytes32,bytes32", "image,manifest"],
  ImageErased: ["bytes32,bytes32", "image,certificate"],
};
const ZERO = "0x" + "00".repeat(32);

function require(holds, where) {
  if (!holds) throw new Error(where);
}

/** Objects with sorted keys, as the one form has them. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
}

/** Who sealed a header: the signature at the end of the extra data is over all the rest. */
async function signer(fields) {
  const extra = fields[12];
  const unsealed = [...fields];
  unsealed[12] = slice(extra, 0, size(extra) - 65);
  const seal = slice(extra, size(extra) - 65);
  const parts = { r: slice(seal, 0, 32), s: slice(seal, 32, 64), yParity: Number(slice(seal, 64)) };
  return (await recoverAddress({ hash: keccak256(toRlp(unsealed)), signature: parts })).toLowerCase();
}

async function trusted(headers, trust, where) {
  headers.slice(1).forEach((header, i) => {
    require(fromRlp(header)[0] === keccak256(headers[i]), `${where}[${i + 1}]`);
  });
  if (trust.hashes.includes(keccak256(headers.at(-1)))) return;
  const signers = new Set();
  for (const header of headers) signers.add(await signer(fromRlp(header)));
  require([...signers].every((each) => trust.validators.includes(each)), where);
  require(signers.size >= trust.needed, where);
}

/** The value to which a proof leads in a Merkle Patricia trie. */
function lookUp(root, key, nodes, where) {
  let nibbles = key.slice(2);
  let expected = root;
  for (const [i, encoded] of nodes.entries()) {
    require(keccak256(encoded) === expected, `${where}[${i}]`);
    const node = fromRlp(encoded);
    if (node.length === 17) {
      if (nibbles === "") return node[16];
      expected = node[parseInt(nibbles[0], 16)];
      nibbles = nibbles.slice(1);
      continue;
    }
    const path = node[0].slice(2);
    const odd = parseInt(path[0], 16) % 2;
    const part = path.slice(odd ? 1 : 2);
    require(nibbles.startsWith(part), `${where}[${i}]`);
    nibbles = nibbles.slice(part.length);
    if (parseInt(path[0], 16) >= 2) {
      require(nibbles === "" && i === nodes.length - 1, `${where}[${i}]`);
      return node[1];
    }
    expected = node[1];
  }
  throw new Error(where);
}

function words(event, image, contract, logs, where) {
  const [types, names] = WORDS[event];
  const topic = keccak256(stringToHex(`${event}(${types})`));
  const matching = ([address, topics]) =>
    address === contract && topics[0] === topic && topics[1] === image;
  const found = logs.filter(matching).at(-1);
  require(found, where);
  const data = concat([...found[1].slice(1), found[2]]);
  const named = names.split(",").map((name, i) => [name, slice(data, 32 * i, 32 * i + 32)]);
  return Object.fromEntries(named);
}

async function verify(text, trust) {
  const bundle = JSON.parse(text);
  require(JSON.stringify(sorted(bundle)) + "\n" === text, "bundle");
  require(bundle.format === "radledger-bundle/1", "bundle.format");
  let parent = bundle.image;
  const events = [];
  for (const [i, proof] of bundle.events.entries()) {
    const where = `bundle.events[${i}]`;
    await trusted(proof.headers, trust, `${where}.headers`);
    const header = fromRlp(proof.headers[0]);
    const receipt = lookUp(header[5], proof.transaction, proof.receipt, `${where}.receipt`);
    const typed = parseInt(receipt.slice(2, 4), 16) < 0x80;
    const logs = fromRlp(typed ? slice(receipt, 1) : receipt)[3];
    const anchored = proof.event === "ImageAnchored";
    const image = anchored ? parent : bundle.image;
    const event = words(proof.event, image, bundle.contract, logs, where);
    if (anchored) {
      const { custodian, patient, root, visit, course } = event;
      require(keccak256(concat([custodian, patient, root, visit, course])) === image, where);
      parent = event.parent;
    }
    const hash = keccak256(proof.headers[0]);
    events.push({ event: proof.event, ...event, block: Number(header[8]), hash });
  }
  require(parent === ZERO, "bundle.events");
  for (const [i, leaf] of bundle.leaves.entries()) {
    const value = [leaf.salt, leaf.fileDigest, leaf.imageDigest];
    const types = ["bytes32", "bytes32", "bytes32"];
    const { root } = events[0];
    const holds = merkle.StandardMerkleTree.verify(root, types, value, leaf.proof);
    require(holds, `bundle.leaves[${i}]`);
  }
  return { contract: bundle.contract, events, leaves: bundle.leaves.map((leaf) => leaf.fileDigest) };
}

const trust = JSON.parse(process.argv[2]);
const answers = JSON.parse(readFileSync(0, "utf8")).map((text) =>
  verify(text, trust).catch((error) => ({ where: error.message })),
);
console.log(JSON.stringify(await Promise.all(answers)));
