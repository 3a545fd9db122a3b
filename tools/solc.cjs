#!/usr/bin/env node
// solc for machines where the native compiler cannot be downloaded: npm's WebAssembly build
// behind the part of the native command line that py-solc-x uses (--version, --standard-json).
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const solc = require('solc');

const USAGE = 'usage: solc --version | solc --standard-json [--allow-paths PATH,…] <input.json';

function version() {
  return solc.version().replace('Emscripten.clang', 'Linux.g++');
}

function optionValue(args, name) {
  const at = args.indexOf(name);
  return at === -1 || at + 1 === args.length ? '' : args[at + 1];
}

/** Reads an imported file below the working directory or an allowed path; as solc, nothing else. */
function importer(allowedPaths) {
  const roots = ['.', ...allowedPaths].map((root) => fs.realpathSync(root));
  // Packages may be linked in from another folder, so what is asked for counts as well.
  const within = (file) => roots.some((root) => file === root || file.startsWith(root + path.sep));
  return (name) => {
    const asked = path.resolve(name);
    try {
      if (!within(asked)) return { error: `${name}: outside of the allowed paths` };
      return { contents: fs.readFileSync(asked, 'utf8') };
    } catch (error) {
      return { error: `${name}: ${error.message}` };
    }
  };
}

function main(args) {
  if (args.includes('--version')) {
    process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version()}\n`);
    return 0;
  }
  if (!args.includes('--standard-json')) {
    process.stderr.write(`${USAGE}\n`);
    return 1;
  }
  const allowed = optionValue(args, '--allow-paths').split(',').filter((item) => item && fs.existsSync(item));
  const input = fs.readFileSync(0, 'utf8');
  process.stdout.write(solc.compile(input, { import: importer(allowed) }));
  return 0;
}

process.exitCode = main(process.argv.slice(2));
